export interface CallDeadline {
  /** Aborts when the caller does, or when a limit is reached. */
  readonly signal: AbortSignal;
  /** Which limit was reached, in milliseconds; absent when none was. */
  readonly expiredMs: number | undefined;
  /** Something was heard: the idle limit starts again. */
  progressed(): void;
  /** To be called when the call is over. */
  stop(): void;
}

/**
 * The two limits of a call: `timeoutMs` of silence, started again by progress, under `maxTotalMs` for
 * all of it. The SDK checks its total only when progress arrives, and then cancels nothing upstream.
 */
export function startCallDeadline(options: {
  signal: AbortSignal;
  timeoutMs: number;
  maxTotalMs: number;
}): CallDeadline {
  const controller = new AbortController();
  let expiredMs: number | undefined;
  const expire = (limitMs: number) => () => {
    expiredMs = limitMs;
    // The text goes upstream as the reason of the cancellation.
    controller.abort(`no answer within ${limitMs} ms`);
  };
  const startIdle = (): NodeJS.Timeout => setTimeout(expire(options.timeoutMs), options.timeoutMs);
  let idle = startIdle();
  const total = setTimeout(expire(options.maxTotalMs), options.maxTotalMs);
  const onAbort = (): void => controller.abort("cancelled by the caller");
  options.signal.addEventListener("abort", onAbort, { once: true });
  if (options.signal.aborted) onAbort();
  return {
    signal: controller.signal,
    get expiredMs() {
      return expiredMs;
    },
    progressed() {
      clearTimeout(idle);
      idle = startIdle();
    },
    stop() {
      clearTimeout(idle);
      clearTimeout(total);
      options.signal.removeEventListener("abort", onAbort);
    },
  };
}
