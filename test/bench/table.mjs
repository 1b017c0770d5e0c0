/** @typedef {import("./bench.mjs").Row} Row */
/**
 * What came of one benchmark: its rows, or why there are none.
 * @typedef {{name: string, seconds: number, rows: Row[], error?: string}} Result
 */

/** @param {Row} row @returns {"met" | "MISSED" | ""} nothing without a target */
export function verdictOf({ value, target }) {
  if (target === undefined) return "";
  const { most = Number.POSITIVE_INFINITY, least = Number.NEGATIVE_INFINITY } = target;
  // A figure that is no number has met nothing.
  return value <= most && value >= least ? "met" : "MISSED";
}

/** Whether every benchmark came through and met its targets. @param {readonly Result[]} results */
export function isAllMet(results) {
  return results.every(
    ({ error, rows }) => error === undefined && rows.every((row) => verdictOf(row) !== "MISSED"),
  );
}

/** @param {Row} row @returns {string} the figure with its unit, as a person reads it */
export function figureOf({ value, unit }) {
  const digits = unit === "packages" || value >= 1000 ? 0 : unit === "×" || value < 10 ? 2 : 1;
  const figure = value.toFixed(digits);
  return unit === "×" || unit === "" ? `${figure}${unit}` : `${figure} ${unit}`;
}

/** @param {Row} row @returns {string} for example "≤ 1.15×"; empty without a target */
export function targetOf({ target, unit }) {
  if (target === undefined) return "";
  const end = unit === "×" || unit === "" ? unit : ` ${unit}`;
  return [
    ...(target.most === undefined ? [] : [`≤ ${target.most}${end}`]),
    ...(target.least === undefined ? [] : [`≥ ${target.least}${end}`]),
  ].join(", ");
}

/**
 * @param {readonly Result[]} results
 * @returns {string} a line for each row below a line for each benchmark, without a line break at the end
 */
export function formatTable(results) {
  const columns = results.map(({ rows }) =>
    rows.map((row) => [`  ${row.what}`, figureOf(row), targetOf(row), verdictOf(row), row.detail]),
  );
  const widths = [0, 1, 2, 3].map((column) =>
    Math.max(0, ...columns.flat().map((cells) => cells[column]?.length ?? 0)),
  );
  return results
    .flatMap(({ name, seconds, error }, index) => [
      `${name} (${Math.round(seconds)} s)`,
      ...(columns[index] ?? []).map((cells) =>
        cells
          .map((cell, column) =>
            column === 1 ? cell.padStart(widths[1] ?? 0) : cell.padEnd(widths[column] ?? 0),
          )
          .join("  ")
          .trimEnd(),
      ),
      ...(error === undefined ? [] : [`  FAILED: ${error.replaceAll("\n", "\n    ")}`]),
    ])
    .join("\n");
}
