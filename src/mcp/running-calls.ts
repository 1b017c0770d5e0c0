import { AppError } from "../core/errors.ts";
import { rpcCodes } from "../core/json-rpc.ts";
import { Refused } from "./refused.ts";

/** The POSTs that are being worked on, so that they can be told when nobody waits for them any more. */
export interface RunningCalls {
  /** @throws Refused 503 when there are too many */
  begin(): RunningCall;
  cancelAll(reason: Error): void;
}

export interface RunningCall {
  readonly signal: AbortSignal;
  /** The client has gone, and will not come back. */
  readonly gone: () => void;
  /** It is answered. */
  readonly done: () => void;
}

/** More than connections: those whose client may still come back count too. */
const mostCalls = 5_000;

export function createRunningCalls(): RunningCalls {
  const running = new Set<AbortController>();
  return {
    begin() {
      if (running.size >= mostCalls) {
        const message = "The gateway works on too many requests at once";
        throw new Refused(503, { code: rpcCodes.internalError, message }, null, {
          "retry-after": "5",
        });
      }
      const call = new AbortController();
      running.add(call);
      return {
        signal: call.signal,
        gone: () => call.abort(new AppError("unreachable", "The client closed the connection")),
        done: () => void running.delete(call),
      };
    },
    cancelAll(reason) {
      for (const call of running) call.abort(reason);
    },
  };
}
