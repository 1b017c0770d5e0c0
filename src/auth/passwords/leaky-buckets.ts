import { createRecentKeys } from "./recent-keys.ts";

/** Counts what is done under a key: so much at once, and from then on as fast as it drains. */
export interface LeakyBuckets {
  /** Milliseconds until one more fits; undefined: it does. */
  waitMs(key: string): number | undefined;
  add(key: string): void;
}

/**
 * @param options.capacity how many fit at once
 * @param options.drainMs until one of them has drained
 * @param options.monotonicMs milliseconds of a clock that nobody sets
 */
export function createLeakyBuckets(options: {
  capacity: number;
  drainMs: number;
  mostKeys: number;
  monotonicMs: () => number;
}): LeakyBuckets {
  const { capacity, drainMs, mostKeys, monotonicMs } = options;
  /** When each bucket will be empty. */
  const emptyAtMs = createRecentKeys<number>(mostKeys);
  return {
    waitMs(key) {
      const fullMs = (emptyAtMs.get(key) ?? -Infinity) - monotonicMs();
      const waitMs = fullMs - (capacity - 1) * drainMs;
      return waitMs > 0 ? waitMs : undefined;
    },
    add(key) {
      emptyAtMs.set(key, Math.max(emptyAtMs.get(key) ?? -Infinity, monotonicMs()) + drainMs);
    },
  };
}
