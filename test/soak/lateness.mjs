/** How often the clock is looked at, and over how long the worst is kept, in milliseconds. */
const everyMs = 5;
const keptMs = 500;

/**
 * How late this machine is: what is promised in milliseconds is promised by a machine that has time. Another
 * program that takes all its cores for a while delays the gateway's timers as it delays ours.
 */
export function startLatenessWatch() {
  /** @type {{atMs: number, lateMs: number}[]} */
  let seen = [];
  let lastMs = performance.now();
  const timer = setInterval(() => {
    const atMs = performance.now();
    seen.push({ atMs, lateMs: Math.max(0, atMs - lastMs - everyMs) });
    lastMs = atMs;
    if (seen.length > 1000) seen = seen.slice(-500);
  }, everyMs);
  return {
    /** By how many milliseconds the latest of the last half second's timers came too late. */
    worstMs() {
      const nowMs = performance.now();
      const recent = seen.filter(({ atMs }) => atMs > nowMs - keptMs);
      return Math.max(nowMs - lastMs - everyMs, 0, ...recent.map(({ lateMs }) => lateMs));
    },
    stop: () => clearInterval(timer),
  };
}
