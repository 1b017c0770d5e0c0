import { verdictOf } from "./table.mjs";

/** @typedef {import("./bench.mjs").Row & {verdict: "met" | "missed" | null}} ReportedRow */
/**
 * What docs/benchmarks.json holds.
 * @typedef {object} Report
 * @property {string} version of the program
 * @property {string} [commit]
 * @property {string} date ISO 8601, in UTC
 * @property {import("./machine.mjs").Machine} machine
 * @property {number} pairs a ratio is the median of at least so many
 * @property {number} seconds that it all took
 * @property {{name: string, about: string, seconds: number, rows: ReportedRow[]}[]} benchmarks
 */

/**
 * @param {object} options
 * @param {readonly import("./table.mjs").Result[]} options.results none of them failed
 * @param {Readonly<Record<string, {about: string}>>} options.benches
 * @param {Pick<Report, "version" | "date" | "machine" | "pairs"> & {commit: string | undefined}} options.facts
 * @returns {Report}
 */
export function createReport({ results, benches, facts }) {
  const { version, commit, date, machine, pairs } = facts;
  return {
    version,
    ...(commit === undefined ? {} : { commit }),
    date,
    machine,
    pairs,
    seconds: Math.round(results.reduce((sum, { seconds }) => sum + seconds, 0)),
    benchmarks: results.map(({ name, seconds, rows }) => ({
      name,
      about: benches[name]?.about ?? "",
      seconds: Math.round(seconds),
      rows: rows.map(reported),
    })),
  };
}

/** @param {import("./bench.mjs").Row} row @returns {ReportedRow} */
function reported(row) {
  const { what, value, unit, target, detail, figures } = row;
  const verdict = verdictOf(row);
  return {
    what,
    value: rounded(value),
    unit,
    ...(target && { target }),
    verdict: verdict === "" ? null : verdict === "met" ? "met" : "missed",
    detail,
    ...(figures && {
      figures: Object.fromEntries(
        Object.entries(figures).map(([name, figure]) => [name, rounded(figure)]),
      ),
    }),
  };
}

/** To a thousandth: what stands behind it is noise. @param {number} figure */
function rounded(figure) {
  return Math.round(figure * 1000) / 1000;
}
