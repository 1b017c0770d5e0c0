import type { Logger } from "../core/logger.ts";

/** Loss is said once in a while, not for each event. */
const sayEveryMs = 60_000;

export interface LossReport {
  /** Events lost since the start. */
  readonly count: number;
  add(count: number, cause: string): void;
  /** Says now what is not said yet. */
  sayRest(): void;
}

/** Counts lost audit events, and says so in the log at once, then at most once a minute. */
export function createLossReport(logger: Logger, now: () => number): LossReport {
  let count = 0;
  let lastCause = "";
  let saidAtMs = -Infinity;
  let timer: NodeJS.Timeout | undefined;

  const say = (): void => {
    clearTimeout(timer);
    timer = undefined;
    saidAtMs = now();
    logger.error("Audit events are lost", { lostSoFar: count, cause: lastCause });
  };

  return {
    get count() {
      return count;
    },
    add(more, cause) {
      if (more === 0) return;
      count += more;
      lastCause = cause;
      const waitMs = saidAtMs + sayEveryMs - now();
      if (waitMs <= 0) say();
      // What is lost until then is told then, even if nothing more is lost.
      else timer ??= setTimeout(say, waitMs).unref();
    },
    sayRest() {
      if (timer !== undefined) say();
    },
  };
}
