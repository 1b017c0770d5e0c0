import { Stop } from "../core/stop-signal.ts";
import type { StopSignal } from "../core/stop-signal.ts";

export interface CallDeadline {
  /** Aborts when the caller does, or when a limit is reached. */
  readonly signal: StopSignal;
  /** Which limit was reached, in milliseconds; absent when none was. */
  readonly expiredMs: number | undefined;
  /** Something was heard: the idle limit starts again. */
  progressed(): void;
  /** Both limits stand still until `resume`, called once for each `pause`: somebody else is being waited for. */
  pause(): void;
  resume(): void;
  /** To be called when the call is over. */
  stop(): void;
}

/** The two limits of a call: `timeoutMs` of silence, started again by progress, under `maxTotalMs` for all of it. */
export function startCallDeadline(options: {
  signal: AbortSignal;
  timeoutMs: number;
  maxTotalMs: number;
}): CallDeadline {
  const ending = new Stop();
  let expiredMs: number | undefined;
  let pauses = 0;
  let stopped = false;
  let totalLeftMs = options.maxTotalMs;
  let startedAtMs = 0;
  let idle: NodeJS.Timeout | undefined;
  let total: NodeJS.Timeout | undefined;

  const expire = (limitMs: number): void => {
    expiredMs = limitMs;
    // The text goes upstream as the reason of the cancellation.
    ending.abort(`no answer within ${limitMs} ms`);
  };
  const startIdle = (): void => {
    // One timer is enough where the total ends first anyway; progress cannot change that.
    if (options.timeoutMs >= totalLeftMs) return;
    idle = setTimeout(expire, options.timeoutMs, options.timeoutMs);
  };
  const start = (): void => {
    startedAtMs = performance.now();
    total = setTimeout(expire, totalLeftMs, options.maxTotalMs);
    startIdle();
  };
  const clear = (): void => {
    clearTimeout(idle);
    clearTimeout(total);
  };
  const onAbort = (): void => ending.abort("cancelled by the caller");

  start();
  options.signal.addEventListener("abort", onAbort);
  if (options.signal.aborted) onAbort();
  return {
    signal: ending,
    get expiredMs() {
      return expiredMs;
    },
    progressed() {
      if (pauses > 0 || stopped) return;
      clearTimeout(idle);
      startIdle();
    },
    pause() {
      if (pauses++ > 0 || stopped) return;
      clear();
      totalLeftMs -= performance.now() - startedAtMs;
    },
    resume() {
      if (--pauses > 0 || stopped) return;
      start();
    },
    stop() {
      stopped = true;
      clear();
      options.signal.removeEventListener("abort", onAbort);
    },
  };
}
