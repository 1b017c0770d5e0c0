/**
 * The pause before the next start, in milliseconds: doubles with each failure up to the longest, and
 * is then cut by up to half at random, so that servers that failed together do not return together.
 * @param failures how many starts or connections failed in a row, from 1
 * @param random a number from 0 (inclusive) to 1 (exclusive)
 */
export function pauseAfter(
  failures: number,
  { firstPauseMs, longestPauseMs }: { firstPauseMs: number; longestPauseMs: number },
  random: number,
): number {
  // Beyond 2^30 the factor changes nothing, and would become Infinity in the end.
  const full = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(failures - 1, 30));
  return Math.round(full * (1 - random / 2));
}
