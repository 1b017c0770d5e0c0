import { createRecentKeys } from "./recent-keys.ts";

/** Slows down who fails again and again under one key. */
export interface FailureBrake {
  /**
   * Begins an attempt, which counts as failed until it has ended: of many at once no more come through than one after
   * the other would.
   * @returns the way to end it, or the milliseconds until the next one may begin
   */
  begin(key: string): FailureAttempt | { waitMs: number };
}

export interface FailureAttempt {
  /** `succeeded`: nothing is held against the key any more; `undecided`: it was no attempt at all. */
  end(outcome: "succeeded" | "failed" | "undecided"): void;
}

/** Without any wait: more than somebody needs who mistypes. */
const freeFailures = 10;
const firstWaitMs = 1000;
const longestWaitMs = 15 * 60_000;
/** After the last failure: not so short that waiting for it is worth more than the longest wait. */
const forgetMs = 12 * 60 * 60_000;

interface Failures {
  count: number;
  lastMs: number;
}

/** Each failure beyond the free ones doubles the wait. @param monotonicMs milliseconds of a clock that nobody sets */
export function createFailureBrake(mostKeys: number, monotonicMs: () => number): FailureBrake {
  const failures = createRecentKeys<Failures>(mostKeys);
  const current = (key: string): Failures => {
    const known = failures.get(key);
    const isOld = known !== undefined && monotonicMs() - known.lastMs >= forgetMs;
    return known === undefined || isOld ? { count: 0, lastMs: monotonicMs() } : known;
  };
  return {
    begin(key) {
      const { count, lastMs } = current(key);
      const waitMs = lastMs + waitAfter(count) - monotonicMs();
      if (waitMs > 0) return { waitMs };
      failures.set(key, { count: count + 1, lastMs: monotonicMs() });
      return {
        end(outcome) {
          if (outcome === "failed") return;
          const { count: now, lastMs: ofLast } = current(key);
          if (outcome === "succeeded" || now <= 1) failures.delete(key);
          else failures.set(key, { count: now - 1, lastMs: ofLast });
        },
      };
    },
  };
}

function waitAfter(count: number): number {
  return count < freeFailures
    ? 0
    : Math.min(longestWaitMs, firstWaitMs * 2 ** Math.min(30, count - freeFailures));
}
