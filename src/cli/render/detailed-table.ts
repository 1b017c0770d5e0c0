import type { Io } from "../context.ts";
import { fittingTable } from "./fitting-table.ts";

/** What stands before a detail. */
export const detailIndent = "    ";

/**
 * A table that fits the terminal, with a line of details, indented, below each row that has some.
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
    return detail === "" ? `${line}\n` : `${line}\n${detailIndent}${detail}\n`;
  });
  return `${head}\n${body.join("")}`;
}
