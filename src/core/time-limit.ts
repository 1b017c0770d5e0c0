import type { StopSignal } from "./stop-signal.ts";

/**
 * A signal that is aborted after `ms` milliseconds, with a `TimeoutError`, or with the reason of `parent` when that comes
 * first. Not `AbortSignal.any` over `AbortSignal.timeout`: on Node 20 nobody holds the inner one, and once it has been
 * collected the limit never comes. It keeps no process alive.
 */
export function timeLimit(ms: number, parent?: StopSignal): AbortSignal {
  const controller = new AbortController();
  const end = (reason: unknown): void => {
    clearTimeout(timer);
    parent?.removeEventListener("abort", onParent);
    controller.abort(reason);
  };
  const onParent = (): void => end(parent?.reason);
  const timer = setTimeout(() => {
    end(new DOMException("The time is over", "TimeoutError"));
  }, ms);
  timer.unref();
  if (parent?.aborted === true) onParent();
  else parent?.addEventListener("abort", onParent, { once: true });
  return controller.signal;
}
