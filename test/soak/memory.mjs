import { median } from "../bench/interleave.mjs";

/** @typedef {{live: number, rss: number}} MemorySample bytes: `live` after a collection, `rss` as the system sees it */

const MiB = 2 ** 20;

/** @param {number} bytes */
export const inMiB = (bytes) => `${(bytes / MiB).toFixed(1)} MiB`;

/**
 * Whether memory stayed flat under an even load. The first quarter of the samples is warm-up: caches fill,
 * code is compiled. What follows is cut into three windows, and the median of the last may exceed that of the
 * first by a tenth or by a few MiB, whichever is more. Medians, because a single sample hits a moment with
 * more or fewer requests in flight. `live` (after a forced collection) shows a leak; `rss` shows what the
 * allocator does not give back, and so may move more.
 * @param {readonly MemorySample[]} samples in the order of time, evenly spaced
 * @returns {{flat: boolean, text: string}}
 */
export function judgeFlatness(samples) {
  const measured = samples.slice(Math.ceil(samples.length / 4));
  const window = Math.max(1, Math.floor(measured.length / 3));
  const first = measured.slice(0, window);
  const last = measured.slice(-window);
  const judged = /** @type {const} */ ([
    ["live", 6 * MiB],
    ["rss", 40 * MiB],
  ]).map(([key, slack]) => {
    const before = median(first.map((sample) => sample[key]));
    const after = median(last.map((sample) => sample[key]));
    return {
      flat: after <= before + Math.max(slack, before / 10),
      text: `${key} ${inMiB(before)} → ${inMiB(after)}`,
    };
  });
  return {
    flat: measured.length >= 3 && judged.every(({ flat }) => flat),
    text: `${judged.map(({ text }) => text).join(", ")} (${samples.length} samples)`,
  };
}
