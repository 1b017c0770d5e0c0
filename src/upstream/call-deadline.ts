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
  signal: StopSignal;
  timeoutMs: number;
  maxTotalMs: number;
}): CallDeadline {
  const ending = new Stop();
  let pauses = 0;
  let stopped = false;
  let totalLeftMs = options.maxTotalMs;
  let startedAtMs = 0;
  let idleSinceMs = 0;
  let timer: NodeJS.Timeout | undefined;

  const expire = (limitMs: number): void => {
    deadline.expiredMs = limitMs;
    // The text goes upstream as the reason of the cancellation.
    ending.abort(`no answer within ${limitMs} ms`);
  };
  /** One timer for both limits, which progress does not move: it looks when it is due what is left. */
  const check = (): void => {
    const nowMs = performance.now();
    const totalMs = startedAtMs + totalLeftMs - nowMs;
    const idleMs = idleSinceMs + options.timeoutMs - nowMs;
    if (totalMs <= 0) expire(options.maxTotalMs);
    else if (idleMs <= 0) expire(options.timeoutMs);
    else timer = setTimeout(check, Math.ceil(Math.min(totalMs, idleMs)));
  };
  const start = (): void => {
    startedAtMs = performance.now();
    idleSinceMs = startedAtMs;
    check();
  };
  const onAbort = (): void => ending.abort("cancelled by the caller");

  // No accessor: V8 keeps those of every object literal in old space, and with them whole calls.
  const deadline: CallDeadline & { expiredMs: number | undefined } = {
    signal: ending,
    expiredMs: undefined,
    progressed() {
      if (pauses > 0 || stopped) return;
      idleSinceMs = performance.now();
    },
    pause() {
      if (pauses++ > 0 || stopped) return;
      clearTimeout(timer);
      totalLeftMs -= performance.now() - startedAtMs;
    },
    resume() {
      if (--pauses > 0 || stopped) return;
      start();
    },
    stop() {
      stopped = true;
      clearTimeout(timer);
      options.signal.removeEventListener("abort", onAbort);
    },
  };
  start();
  options.signal.addEventListener("abort", onAbort);
  if (options.signal.aborted) onAbort();
  return deadline;
}
