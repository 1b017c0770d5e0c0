import { oneLine } from "../../core/terminal-text.ts";
import type { Io } from "../context.ts";
import { textTable } from "./text-table.ts";

/** No column is made narrower than this for the sake of the others. */
const narrowest = 8;
const gap = 2;

/**
 * Rows as aligned columns that are no wider than the terminal: the widest columns are cut first. A pipe gets
 * them whole. Cells hold no line ends.
 * @param whole columns that are never cut: what somebody is to copy
 */
export function fittingTable(
  rows: readonly (readonly string[])[],
  io: Pick<Io, "stdoutIsTerminal" | "columns">,
  whole: readonly number[] = [],
): string {
  if (!io.stdoutIsTerminal) return textTable(rows);
  const widths = fittingWidths(rows, io.columns, whole);
  return textTable(rows.map((row) => row.map((cell, column) => oneLine(cell, widths[column]))));
}

/** How wide each column of such a table is: more in sum than `columns` where too much is whole. */
export function fittingWidths(
  rows: readonly (readonly string[])[],
  columns: number,
  whole: readonly number[] = [],
): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, cell.length);
    }
  }
  let excess = widths.reduce((sum, width) => sum + width + gap, -gap) - columns;
  while (excess > 0) {
    const widest = widths.reduce(
      (best, width, column) =>
        !whole.includes(column) && width > (widths[best] ?? narrowest) ? column : best,
      -1,
    );
    const width = widths[widest];
    if (width === undefined) break;
    widths[widest] = width - 1;
    excess -= 1;
  }
  return widths;
}
