import { AppError } from "../core/errors.ts";
import { rpcCodes } from "../core/json-rpc.ts";
import type { Principal } from "../core/principal.ts";
import { principalKey } from "../core/principal.ts";
import { Stop } from "../core/stop-signal.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import { UnderWay } from "../core/under-way.ts";
import { Refused } from "./refused.ts";

/** The POSTs that are being worked on, so that they can be told when nobody waits for them any more. */
export interface RunningCalls {
  /**
   * @param posted what has to be kept for it, in characters
   * @throws Refused 503 when there are too many, or too many of this principal
   */
  begin(principal: Principal, posted: number): RunningCall;
  cancelAll(reason: Error): void;
}

export interface RunningCall {
  readonly signal: StopSignal;
  /** The client has gone, and will not come back. */
  readonly gone: () => void;
  /** It is answered. */
  readonly done: () => void;
}

/** More than connections: those whose client may still come back count too. */
const mostCalls = 5_000;
/** One principal does not use up what all need. */
const mostCallsOfOne = 500;
/** Of all that one principal's calls posted, in characters. */
const mostPostedOfOne = 64 * 1024 * 1024;

export function createRunningCalls(): RunningCalls {
  const running = new UnderWay<Stop>();
  const shares = new Map<string, { calls: number; posted: number }>();
  return {
    begin(principal, posted) {
      const owner = principalKey(principal);
      const share = shares.get(owner) ?? { calls: 0, posted: 0 };
      if (
        running.size >= mostCalls ||
        share.calls >= mostCallsOfOne ||
        share.posted + posted > mostPostedOfOne
      ) {
        const message = "The gateway works on too many requests at once";
        throw new Refused(503, { code: rpcCodes.internalError, message }, null, {
          "retry-after": "5",
        });
      }
      const call = new Stop();
      running.add(call);
      share.calls += 1;
      share.posted += posted;
      shares.set(owner, share);
      return {
        signal: call,
        gone: () => call.abort(new AppError("unreachable", "The client closed the connection")),
        done() {
          if (!running.delete(call)) return;
          share.calls -= 1;
          share.posted -= posted;
          if (share.calls === 0) shares.delete(owner);
        },
      };
    },
    cancelAll(reason) {
      for (const call of running) call.abort(reason);
    },
  };
}
