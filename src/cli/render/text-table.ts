/**
 * Rows as aligned columns, two spaces apart, each line ended; the last column is not padded. Cells hold no
 * line ends.
 */
export function textTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [column, cell] of row.entries()) {
      widths[column] = Math.max(widths[column] ?? 0, widthOf(cell));
    }
  }
  return rows
    .map((row) => {
      const cells = row.map(
        (cell, column) => cell + " ".repeat((widths[column] ?? 0) - widthOf(cell)),
      );
      return `${cells.join("  ").trimEnd()}\n`;
    })
    .join("");
}

/** Characters, not columns: wide ones may shift a line, which is worth less than loading a table of them. */
function widthOf(cell: string): number {
  return Array.from(cell).length;
}
