import { cutToWidth } from "../../core/text-width.ts";
import type { Io } from "../context.ts";
import { columnWidths, textTable } from "./text-table.ts";

/** No column is made narrower than this for the sake of the others, while anything else helps. */
const narrow = 8;
/** Nor than this at all: two characters and an ellipsis. */
const narrowest = 3;
const gap = 2;

/**
 * Rows as aligned columns that are no wider than the terminal: the widest columns are cut first. A pipe gets
 * them whole. Cells hold no line ends.
 * @param whole columns that are cut only where the others are cut to almost nothing: what somebody is to copy
 */
export function fittingTable(
  rows: readonly (readonly string[])[],
  io: Pick<Io, "stdoutIsTerminal" | "columns">,
  whole: readonly number[] = [],
): string {
  if (!io.stdoutIsTerminal) return textTable(rows);
  const widths = fittingWidths(rows, io.columns, whole);
  return textTable(rows.map((row) => row.map((cell, at) => cutToWidth(cell, widths[at] ?? 0))));
}

/**
 * How wide each column of such a table is. On a narrow terminal first the others give way, then the heads of numbers and
 * short words, then the others again, then what is whole, and the first column, which names the row, last of all.
 */
export function fittingWidths(
  rows: readonly (readonly string[])[],
  columns: number,
  whole: readonly number[] = [],
): number[] {
  const widths = columnWidths(rows);
  const bodies = columnWidths(rows.slice(1));
  const isWhole = (column: number): boolean => whole.includes(column);
  /** How narrow a column may get at each step. */
  const steps: readonly ((column: number) => number)[] = [
    (column) => (isWhole(column) ? Infinity : narrow),
    (column) => (rows.length > 1 ? (bodies[column] ?? 0) : Infinity),
    (column) => (isWhole(column) || column === 0 ? Infinity : 0),
    (column) => (column === 0 ? Infinity : 0),
    () => 0,
  ];
  let excess = widths.reduce((sum, width) => sum + width + gap, -gap) - columns;
  for (const least of steps) {
    while (excess > 0) {
      const widest = widestAbove(widths, least);
      if (widest === undefined) break;
      widths[widest] = (widths[widest] ?? 0) - 1;
      excess -= 1;
    }
  }
  return widths;
}

function widestAbove(
  widths: readonly number[],
  least: (column: number) => number,
): number | undefined {
  let widest: number | undefined;
  for (const [column, width] of widths.entries()) {
    if (width <= Math.max(narrowest, least(column))) continue;
    if (widest === undefined || width > (widths[widest] ?? 0)) widest = column;
  }
  return widest;
}
