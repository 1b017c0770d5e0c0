import { abortSignalOf } from "../core/stop-signal.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import { timeLimit } from "../core/time-limit.ts";

/** How long a caller is willing to wait for a connection. */
export interface Patience {
  timeoutMs: number;
  signal: StopSignal;
}

/** The same promise, but rejecting with the abort's reason as soon as the signal aborts. */
export function untilAborted<Value>(promise: Promise<Value>, signal: StopSignal): Promise<Value> {
  return new Promise<Value>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    signal.addEventListener("abort", onAbort, { once: true });
    if (signal.aborted) onAbort();
    promise.finally(() => signal.removeEventListener("abort", onAbort)).then(resolve, reject);
  });
}

/**
 * The same promise, but no longer than the caller waits.
 * @throws the signal's reason; what `late` returns when the time is over
 */
export async function waitFor<Value>(
  promise: Promise<Value>,
  { timeoutMs, signal }: Patience,
  late: () => Error,
): Promise<Value> {
  const limit = timeLimit(timeoutMs);
  try {
    return await untilAborted(promise, AbortSignal.any([limit, abortSignalOf(signal)]));
  } catch (error) {
    throw limit.aborted && error === limit.reason ? late() : error;
  }
}
