/**
 * What a spreadsheet would take for a formula, or may after it has dropped blanks and quotes before it: OWASP,
 * "CSV Injection", with the full-width forms of the signs.
 */
const formulaStart = /^[\p{White_Space}\p{Cf}"'`]*[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/u;
const needsQuotes = /[",\r\n]/u;

/** One record of RFC 4180 with its line end. Text that could be a formula gets an apostrophe before it. */
export function csvLine(cells: readonly (string | number | null)[]): string {
  return `${cells.map(csvCell).join(",")}\r\n`;
}

function csvCell(cell: string | number | null): string {
  if (cell === null) return "";
  if (typeof cell === "number") return String(cell);
  const isFormula = formulaStart.test(cell);
  const text = isFormula ? `'${cell}` : cell;
  return isFormula || needsQuotes.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
