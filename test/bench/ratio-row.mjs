import { median, ratioOf } from "./interleave.mjs";

/**
 * A row that compares two things measured in pairs.
 * @param {string} what
 * @param {readonly number[]} measured
 * @param {readonly number[]} base the others of the pairs, in the same order
 * @param {object} options
 * @param {string} options.unit of both
 * @param {string} options.against what the other is
 * @param {number} [options.digits] behind the point
 * @param {{most?: number, least?: number}} [options.target] of the ratio
 * @param {string} [options.note] what else is to be said of them
 * @returns {import("./bench.mjs").Row}
 */
export function ratioRow(what, measured, base, { unit, against, digits = 3, target, note }) {
  const own = median(measured);
  const other = median(base);
  return {
    what,
    value: ratioOf(measured, base),
    unit: "×",
    ...(target && { target }),
    detail: [
      `${own.toFixed(digits)} ${unit} against ${other.toFixed(digits)} ${unit} ${against}`,
      `${measured.length} pairs`,
      ...(note === undefined ? [] : [note]),
    ].join(", "),
    figures: { measured: own, base: other },
  };
}
