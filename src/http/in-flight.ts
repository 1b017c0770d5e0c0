import type { ServerResponse } from "node:http";
import { AppError } from "../core/errors.ts";
import { Stop } from "../core/stop-signal.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import { UnderWay } from "../core/under-way.ts";

/** Requests that are being worked on, so that they can be told when nobody waits for them any more. */
export interface InFlight {
  /** A signal for one request: aborted when its connection closes, or by `abortAll`. */
  begin(response: ServerResponse): StopSignal;
  abortAll(reason: Error): void;
}

/** Why what is still running is cancelled in the end. */
export function stoppingError(): AppError {
  return new AppError("upstream_unavailable", "The gateway is stopping", {
    hint: "agent serve --status",
  });
}

export function createInFlight(): InFlight {
  const requests = new UnderWay<Stop>();
  return {
    begin(response) {
      const request = new Stop();
      requests.add(request);
      response.once("close", () => {
        requests.delete(request);
        // After a complete answer nobody listens any more; before it, this is the cancellation.
        request.abort(new AppError("unreachable", "The client closed the connection"));
      });
      return request;
    },
    abortAll(reason) {
      for (const request of requests) request.abort(reason);
    },
  };
}
