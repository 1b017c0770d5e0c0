import type { StopSignal } from "../core/stop-signal.ts";

/** How a stream that ended is opened again, in milliseconds. */
export interface ReopenTimings {
  firstMs: number;
  /** The pause grows by half each time, up to this. */
  longestMs: number;
  /** Failures in a row after which the server counts as gone. */
  mostFailures: number;
}

export const reopenTimings: ReopenTimings = { firstMs: 1000, longestMs: 30_000, mostFailures: 3 };

/** A server may ask for a longer pause than ours, but not for one that no timer can hold. */
const longestRetryMs = 60 * 60 * 1000;
/** … nor for none at all. */
const shortestRetryMs = 10;
/** A stream that ends again and again, whatever it brought, is opened again this often in a while … */
const mostAtOnce = 10;
const whileMs = 60_000;
/** … and from then on not before this pause. */
const tirelessPauseMs = 1000;

export interface Reopening {
  /** The server named a pause (`retry:`). */
  named(retryMs: number): void;
  /** Something came: the next pause is the first again. */
  heard(): void;
  failed(): void;
  readonly exhausted: boolean;
  /** Resolves after the pause, or at once when the signal is aborted. */
  pause(signal: StopSignal): Promise<void>;
}

export function createReopening(timings: ReopenTimings): Reopening {
  let retryMs: number | undefined;
  let pauses = 0;
  let failures = 0;
  /** When the last reopenings were asked for. */
  const recent: number[] = [];
  const isTireless = (): boolean => {
    const nowMs = performance.now();
    recent.push(nowMs);
    if (recent.length <= mostAtOnce) return false;
    const beforeMs = recent.shift() ?? nowMs;
    return nowMs - beforeMs < whileMs;
  };
  return {
    named(told) {
      retryMs = Math.min(Math.max(told, shortestRetryMs), longestRetryMs);
    },
    heard() {
      pauses = 0;
      failures = 0;
    },
    failed() {
      failures++;
    },
    get exhausted() {
      return failures >= timings.mostFailures;
    },
    pause(signal) {
      const grown = Math.min(timings.firstMs * 1.5 ** pauses++, timings.longestMs);
      const due = pauses === 1 && retryMs !== undefined ? retryMs : Math.max(grown, retryMs ?? 0);
      const ms = isTireless() ? Math.max(due, tirelessPauseMs) : due;
      return new Promise((resolve) => {
        if (signal.aborted) {
          resolve();
          return;
        }
        const done = (): void => {
          clearTimeout(timer);
          signal.removeEventListener("abort", done);
          resolve();
        };
        const timer = setTimeout(done, ms);
        signal.addEventListener("abort", done);
      });
    },
  };
}
