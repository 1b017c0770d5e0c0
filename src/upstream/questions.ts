import type { JsonObject } from "../core/json.ts";
import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import { UnderWay } from "../core/under-way.ts";
import type { CallDeadline } from "./call-deadline.ts";

/** Requests of one server under way at once on one connection. */
const mostQuestions = 32;

/** What a server asks clients on one connection while calls are under way. */
export interface Questions {
  /** Deadlines of the calls under way. */
  readonly deadlines: UnderWay<CallDeadline>;
  /** How many wait for an answer. */
  readonly open: number;
  /**
   * Puts one question; meanwhile the deadline of the call it belongs to stands still, or all of them where
   * nothing says to which call it belongs.
   * @throws RpcFault when the server asks too much at once, else what `put` throws
   */
  put(deadline: CallDeadline | undefined, put: () => Promise<JsonObject>): Promise<JsonObject>;
}

export function createQuestions(): Questions {
  const deadlines = new UnderWay<CallDeadline>();
  let open = 0;
  return {
    deadlines,
    get open() {
      return open;
    },
    async put(deadline, put) {
      if (open === mostQuestions) {
        throw new RpcFault({ code: rpcCodes.internalError, message: "Too many requests at once" });
      }
      open++;
      const paused = deadline === undefined ? [...deadlines] : [deadline];
      for (const each of paused) each.pause();
      try {
        return await put();
      } finally {
        open--;
        for (const each of paused) each.resume();
      }
    },
  };
}
