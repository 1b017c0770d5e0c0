/** @param {readonly number[]} values @returns {number} NaN of nothing */
export function median(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? upper) + upper) / 2;
}

/**
 * Measures several things in turn, so that what the machine does beside goes into all of them. Every other
 * round goes the other way round, so that a machine that grows slower over time does nobody a favour. The
 * first round warms up and is not counted.
 * @template {string} Name
 * @param {object} options
 * @param {number} options.pairs how many rounds are counted
 * @param {Readonly<Record<Name, () => Promise<number>>>} options.runs each measures itself and resolves to its figure
 * @param {(round: number) => void} [options.onRound] after each counted round, from 1
 * @returns {Promise<Record<Name, number[]>>} the figures by name, those of one round at the same index; rejects
 *   with what a run rejects with, and runs nothing after it
 */
export async function interleave({ pairs, runs, onRound }) {
  /** @type {Name[]} */
  const names = [];
  /** @type {Record<Name, number[]>} */
  const figures = Object.create(null);
  for (const name in runs) {
    names.push(name);
    figures[name] = [];
  }
  for (let round = 0; round <= pairs; round++) {
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      const figure = await runs[name]();
      if (round > 0) figures[name].push(figure);
    }
    if (round > 0) onRound?.(round);
  }
  return figures;
}

/**
 * How often one figure holds another: the median of the ratios of each pair, not the ratio of the medians, for
 * the two of a pair met the same machine.
 * @param {readonly number[]} measured
 * @param {readonly number[]} base the others of the pairs, in the same order
 */
export function ratioOf(measured, base) {
  return median(measured.map((figure, index) => figure / (base[index] ?? Number.NaN)));
}
