/** @typedef {{stop: () => void | Promise<void>}} Stoppable */

/**
 * Runs something that starts processes and opens connections, and stops what it started, the latest first,
 * however it ends.
 * @template T
 * @param {(keep: <Kept extends Stoppable>(started: Kept) => Kept) => Promise<T>} use
 * @returns {Promise<T>}
 */
export async function keepUntilEnd(use) {
  /** @type {Stoppable[]} */
  const kept = [];
  try {
    return await use((started) => {
      kept.push(started);
      return started;
    });
  } finally {
    for (const started of kept.toReversed()) await started.stop();
  }
}
