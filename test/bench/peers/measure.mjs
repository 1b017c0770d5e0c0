import { interleave } from "../interleave.mjs";
import { reasonOf } from "./programs.mjs";

/** Who failed, and the first line of why, by title. @typedef {Map<string, string>} Failures */

/**
 * Measures in turn as `interleave` does, but one that fails is left out from then on, and the others go on.
 * @param {object} options
 * @param {number} options.pairs
 * @param {Readonly<Record<string, () => Promise<number>>>} options.runs by title
 * @param {Failures} options.failures is added to; who is in it already is not measured
 * @param {(round: number) => void} options.onRound
 * @returns {Promise<Record<string, number[]>>} of those that did not fail
 */
export async function measureEach({ pairs, runs, failures, onRound }) {
  const guarded = Object.fromEntries(
    Object.entries(runs).map(([title, run]) => [
      title,
      async () => {
        if (failures.has(title)) return Number.NaN;
        try {
          return await run();
        } catch (error) {
          failures.set(title, reasonOf(error));
          return Number.NaN;
        }
      },
    ]),
  );
  const figures = await interleave({ pairs, runs: guarded, onRound });
  return Object.fromEntries(Object.entries(figures).filter(([title]) => !failures.has(title)));
}

/**
 * The part of the table that says one thing of everybody.
 * @param {string} name
 * @param {{rows: import("../bench.mjs").Row[], failures: Failures, begun: number}} options `begun`: by
 *   `performance.now()`
 * @returns {import("../table.mjs").Result}
 */
export function resultOf(name, { rows, failures, begun }) {
  const reasons = [...failures].map(([title, reason]) => `${title}: ${reason}`);
  return {
    name,
    seconds: (performance.now() - begun) / 1000,
    rows,
    ...(reasons.length > 0 && { error: reasons.join("\n") }),
  };
}
