export interface SlidingWindows {
  /**
   * Counts one thing done under this key, unless `limit` of them were counted within the window that ends now.
   * @param limit at least 1; may be another one each time
   * @param nowMs of a clock that never goes back; where it does all the same, it counts as standing still
   * @returns undefined when it was counted; else the milliseconds until it would be, and nothing is counted
   */
  take(key: string, limit: number, nowMs: number): number | undefined;
  /** How many keys are remembered. */
  readonly size: number;
}

/** When things were counted, in order; the first `gone` of them have left the window. */
interface Counted {
  key: string;
  times: number[];
  gone: number;
  /** Neighbours in the order of the last thing counted. A Map's own order would be slow to begin with: it keeps gaps. */
  earlier: Counted | undefined;
  later: Counted | undefined;
}

/** Looked at with each take, so that many keys that fell silent at once go without anybody waiting for them. */
const sweptAtOnce = 16;
const shortestToCompact = 32;

/**
 * Exact sliding windows: of what is counted under a key never more than the limit lies within
 * (now − `windowMs`, now], at any moment. It remembers the time of each thing counted and nothing of what was refused.
 *
 * Memory: eight to sixteen bytes for each thing counted within the window, and some 280 for each key. A key without any
 * goes with one of the next takes. Beyond `mostKeys` the one that was counted least recently is forgotten, and starts anew.
 */
export function createSlidingWindows({
  windowMs,
  mostKeys,
}: {
  windowMs: number;
  mostKeys: number;
}): SlidingWindows {
  const windows = new Map<string, Counted>();
  /** The first to fall silent, and the last. */
  let first: Counted | undefined;
  let last: Counted | undefined;
  let latest = -Infinity;

  const unlink = ({ earlier, later }: Counted): void => {
    if (earlier === undefined) first = later;
    else earlier.later = later;
    if (later === undefined) last = earlier;
    else later.earlier = earlier;
  };
  const append = (counted: Counted): void => {
    counted.earlier = last;
    counted.later = undefined;
    if (last === undefined) first = counted;
    else last.later = counted;
    last = counted;
  };
  const forget = (counted: Counted): void => {
    unlink(counted);
    windows.delete(counted.key);
  };
  const sweep = (leftAt: number): void => {
    let next = first;
    for (let looked = 0; looked < sweptAtOnce && next !== undefined; looked += 1) {
      if ((next.times.at(-1) ?? leftAt) > leftAt) return;
      const { later }: Counted = next;
      forget(next);
      next = later;
    }
  };

  return {
    take(key, limit, nowMs) {
      latest = Math.max(latest, nowMs);
      const now = latest;
      sweep(now - windowMs);
      const counted = windows.get(key);
      if (counted === undefined) {
        const fresh = { key, times: [now], gone: 0, earlier: undefined, later: undefined };
        windows.set(key, fresh);
        append(fresh);
        if (windows.size > mostKeys && first !== undefined) forget(first);
        return undefined;
      }
      const { times } = counted;
      leave(counted, now - windowMs);
      if (times.length - counted.gone >= limit) {
        // Of a limit that was higher before, more than one has to leave first.
        return (times[times.length - limit] ?? now) + windowMs - now;
      }
      times.push(now);
      unlink(counted);
      append(counted);
      return undefined;
    },
    get size() {
      return windows.size;
    },
  };
}

/** Each time leaves once; the array is cut when half of it has left, so that a take costs the same on average. */
function leave(counted: Counted, leftAt: number): void {
  const { times } = counted;
  while (counted.gone < times.length && (times[counted.gone] ?? 0) <= leftAt) counted.gone += 1;
  if (counted.gone >= shortestToCompact && counted.gone * 2 >= times.length) {
    times.splice(0, counted.gone);
    counted.gone = 0;
  }
}
