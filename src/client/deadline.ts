import { AppError } from "../core/errors.ts";

/** One limit for a whole command, that progress extends and that a person's thinking does not use up. */
export interface Deadline {
  /** Aborted with an AppError `timeout` when the time is over, or with the parent's reason. */
  readonly signal: AbortSignal;
  /** Milliseconds of silence it allows. */
  readonly timeoutMs: number;
  /** Starts the silence again (progress came), never beyond the hard maximum. */
  extend(): void;
  /** Stops the clock while `wait` runs: for stdin, or for a person. */
  outside<T>(wait: () => Promise<T>): Promise<T>;
  /** Stops the clock for good. */
  close(): void;
}

/** However much progress is reported, a command that nobody watches ends at some time. */
const longestMs = 60 * 60 * 1000;

/** As `performance.now()`, which takes a millisecond to load at a command's start. */
function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1000n) / 1000;
}

/**
 * Starts a deadline of `timeoutMs` milliseconds below `parent` (Ctrl-C). Progress can carry it on up to
 * one hour in total, or to `timeoutMs` where that is longer.
 */
export function createDeadline(timeoutMs: number, parent: AbortSignal): Deadline {
  const controller = new AbortController();
  const onParent = (): void => {
    controller.abort(parent.reason);
  };
  if (parent.aborted) onParent();
  else parent.addEventListener("abort", onParent, { once: true });

  let leftInTotalMs = Math.max(longestMs, timeoutMs);
  let leftMs = timeoutMs;
  let startedAtMs = 0;
  let timer: NodeJS.Timeout | undefined;
  let pauses = 0;

  const expire = (): void => {
    controller.abort(
      new AppError("timeout", `No answer within ${timeoutMs / 1000} s`, {
        hint: "--timeout <seconds> allows more time",
      }),
    );
  };
  const start = (): void => {
    startedAtMs = monotonicMs();
    timer = setTimeout(expire, Math.max(0, Math.min(leftMs, leftInTotalMs)));
    timer.unref();
  };
  const stop = (): void => {
    clearTimeout(timer);
    if (timer === undefined) return;
    timer = undefined;
    const passedMs = monotonicMs() - startedAtMs;
    leftMs -= passedMs;
    leftInTotalMs -= passedMs;
  };
  start();

  return {
    signal: controller.signal,
    timeoutMs,
    extend() {
      const running = timer !== undefined;
      stop();
      leftMs = timeoutMs;
      if (running) start();
    },
    async outside(wait) {
      if (pauses++ === 0) stop();
      try {
        return await wait();
      } finally {
        if (--pauses === 0 && !controller.signal.aborted) start();
      }
    },
    close() {
      stop();
      // A pause that ends later must not start the clock again.
      pauses += 1;
      parent.removeEventListener("abort", onParent);
    },
  };
}
