import { RpcFault } from "../core/json-rpc.ts";
import { saysSessionForgotten } from "../mcp-client/http-rpc-fault.ts";
import type { McpConnection } from "../mcp-client/mcp-connection.ts";
import { describeFailure, httpError } from "./failure-reason.ts";

/** Why a connection ended by itself. */
export interface Loss {
  reason: string;
  /** The server forgot our session: it is there, so connecting again need not wait. */
  sessionForgotten: boolean;
}

export const forgotten = "it forgot our session";
/** Whether a failed request says that the server does not know our session, and so did not look at it. */
export function isForgotten(connection: McpConnection, error: unknown): boolean {
  const http = connection.hasSession ? httpError(error) : undefined;
  return http !== undefined && saysSessionForgotten(http);
}

/**
 * Finds out whether a server is still there, which HTTP does not tell, nor the pipe of a process that hangs.
 * @returns a function that asks it, once at a time; it resolves with the loss, or undefined when the server answers
 */
export function createLivenessCheck(
  connection: McpConnection,
  limitMs: number,
): () => Promise<Loss | undefined> {
  let running: Promise<Loss | undefined> | undefined;
  const ask = async (): Promise<Loss | undefined> => {
    const method = connection.era === "modern" ? "server/discover" : "ping";
    const limit = AbortSignal.timeout(limitMs);
    try {
      await connection.request(method, {}, { signal: limit });
      return undefined;
    } catch (error) {
      if (isForgotten(connection, error)) {
        return { reason: forgotten, sessionForgotten: true };
      }
      const status = httpError(error)?.status;
      const refused = status === 401 || status === 403;
      // Any other answer, even a refusal, comes from somebody who is there.
      const answered = error instanceof RpcFault || (status !== undefined && status < 500);
      if (answered && !refused) return undefined;
      const reason = limit.aborted ? "it did not answer in time" : describeFailure(error);
      return { reason, sessionForgotten: false };
    } finally {
      running = undefined;
    }
  };
  return () => {
    running ??= ask();
    return running;
  };
}
