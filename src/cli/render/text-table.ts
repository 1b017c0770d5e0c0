import { textWidth } from "../../core/text-width.ts";

/**
 * Rows as aligned columns, two spaces apart, each line ended; the last column is not padded. Cells hold no
 * line ends.
 */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths = columnWidths(rows);
  return rows
    .map((row) => {
      const cells = row.map((cell, column) => padToWidth(cell, widths[column] ?? 0));
      return `${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
}

/** How many columns of the terminal each column of a table takes. */
export function columnWidths(rows: readonly (readonly string[])[]): number[] {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, textWidth(cell));
    }
  }
  return widths;
}

/** Whether all lines of a text are within so many columns. */
export function fitsWidth(text: string, columns: number): boolean {
  return text.split("\n").every((line) => textWidth(line) <= columns);
}

/** A cell with as many spaces behind it as make it `width` columns wide. */
export function padToWidth(cell: string, width: number): string {
  return cell + " ".repeat(Math.max(0, width - textWidth(cell)));
}
