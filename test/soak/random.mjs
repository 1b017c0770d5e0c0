/**
 * Chance that can be repeated: the same seed gives the same run (mulberry32).
 * @typedef {ReturnType<typeof createRandom>} Random
 * @param {number} seed a whole number
 */
export function createRandom(seed) {
  let state = seed >>> 0;
  /** From 0 (inclusive) to 1 (exclusive). */
  const next = () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  /** @param {number} limit @returns {number} a whole number from 0, less than `limit` */
  const below = (limit) => Math.floor(next() * limit);
  const characters =
    "abcdefghijklmnopqrstuvwxyz0123456789 _-/\\\"'{}[]:,<>%\u0000\u001b\u202eäß漢🚪";
  const alphabet = Array.from(characters);
  return {
    next,
    below,
    /** @param {number} probability */
    chance: (probability) => next() < probability,
    /** @template T @param {readonly T[]} from @returns {T} */
    pick(from) {
      /** @type {readonly any[]} */
      const all = from;
      return all[below(all.length)];
    },
    /** @param {number} longest */
    text: (longest) => {
      let text = "";
      for (let left = below(longest + 1); left > 0; left--)
        text += alphabet[below(alphabet.length)];
      return text;
    },
    /** A generator of its own, so that what one user of chance takes does not move another's. */
    fork: () => createRandom(below(2 ** 32)),
  };
}
