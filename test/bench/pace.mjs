import { median } from "./interleave.mjs";

/**
 * Calls one after the other.
 * @param {() => Promise<void>} call
 * @param {number} count
 * @returns {Promise<number>} the median of what one took, in milliseconds
 */
export async function oneByOne(call, count) {
  const times = [];
  for (let index = 0; index < count; index++) {
    const begun = performance.now();
    await call();
    times.push(performance.now() - begun);
  }
  return median(times);
}

/**
 * Calls many at once: as soon as one has its answer, the next is sent in its place.
 * @param {() => Promise<void>} call
 * @param {{count: number, atOnce: number}} load
 * @returns {Promise<number>} how long all of them took, in milliseconds
 */
export async function manyAtOnce(call, { count, atOnce }) {
  const begun = performance.now();
  let sent = 0;
  const one = async () => {
    while (sent < count) {
      sent++;
      await call();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, one));
  return performance.now() - begun;
}
