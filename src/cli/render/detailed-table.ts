import type { Io } from "../context.ts";
import { fittingTable } from "./fitting-table.ts";
import { wrap } from "./wrap.ts";

/** What stands before a detail. */
export const detailIndent = "    ";

/**
 * A table that fits the terminal, with details, indented, below each row that has some: one line where the terminal is wide
 * enough.
 * @param rows the head, and the rows
 * @param details of each row but the head, as they are to be shown; an empty text stands for none
 * @param whole columns that are never cut
 */
export function detailedTable(
  rows: readonly (readonly string[])[],
  details: readonly string[],
  io: Pick<Io, "stdoutIsTerminal" | "columns">,
  whole: readonly number[] = [],
): string {
  const [head = "", ...lines] = fittingTable(rows, io, whole).trimEnd().split("\n");
  const body = lines.map((line, index) => {
    const detail = details[index] ?? "";
    if (detail === "") return `${line}\n`;
    const width = io.stdoutIsTerminal ? io.columns - detailIndent.length : Infinity;
    return [line, ...wrap(detail, width).map((part) => detailIndent + part), ""].join("\n");
  });
  return `${head}\n${body.join("")}`;
}
