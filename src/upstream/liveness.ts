import { ProtocolError } from "@modelcontextprotocol/client";
import type { Client, Transport } from "@modelcontextprotocol/client";
import { isJsonObject, parseJson } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { describeFailure, httpError } from "./failure-reason.ts";
import { isNestedBeyond, messageLimits } from "../mcp-client/message-limits.ts";
import { UpstreamRpcError } from "./upstream.ts";

/** Why a connection ended by itself. */
export interface Loss {
  reason: string;
  /** The server forgot our session: it is there, so connecting again need not wait. */
  sessionForgotten: boolean;
}

/** The JSON-RPC error that a server put into the body of an HTTP error, where there is one. */
export function rpcErrorOf(error: unknown): UpstreamRpcError | undefined {
  const text = httpError(error)?.data.text;
  if (typeof text !== "string") return undefined;
  let body: Json;
  try {
    body = parseJson(text);
  } catch {
    return undefined;
  }
  if (isNestedBeyond(body, messageLimits.depth)) return undefined;
  if (!isJsonObject(body) || !isJsonObject(body["error"])) return undefined;
  const { code, message, data } = body["error"];
  if (typeof code !== "number" || typeof message !== "string") return undefined;
  return new UpstreamRpcError(code, message, data);
}

/**
 * Whether a failed request says that the server has forgotten our session, and so refused the request
 * without looking at it: HTTP 404 (MCP, session management); some servers say 400.
 */
export function saysSessionForgotten(error: unknown): boolean {
  const status = httpError(error)?.status;
  return status === 404 || (status === 400 && rpcErrorOf(error) !== undefined);
}

/**
 * Finds out whether a server behind HTTP is still there, which no closing pipe tells: asks it after an
 * error on its event stream, or when `check` is called because a request failed.
 */
export function watchLiveness(options: {
  client: Client;
  transport: Transport;
  limitMs: number;
  hasSession: () => boolean;
  onLoss: (loss: Loss) => void;
}): { start(): void; check(): Promise<Loss | undefined>; stop(): void } {
  const { client, transport, limitMs } = options;
  let active = false;
  let running: Promise<Loss | undefined> | undefined;

  const ask = async (): Promise<Loss | undefined> => {
    const method = client.getProtocolEra() === "modern" ? "server/discover" : "ping";
    try {
      await client.request({ method }, { timeout: limitMs });
      return undefined;
    } catch (error) {
      if (options.hasSession() && saysSessionForgotten(error)) {
        return { reason: "it forgot our session", sessionForgotten: true };
      }
      const status = httpError(error)?.status;
      const refused = status === 401 || status === 403;
      // Any other answer, even a refusal, comes from somebody who is there.
      const answered = error instanceof ProtocolError || (status !== undefined && status < 500);
      if (answered && !refused) return undefined;
      return { reason: describeFailure(error), sessionForgotten: false };
    }
  };
  const check = (): Promise<Loss | undefined> => {
    running ??= ask().then((loss) => {
      running = undefined;
      if (active && loss !== undefined) options.onLoss(loss);
      return loss;
    });
    return running;
  };
  // The client chains a handler that stands here before it connects. The question asked here fails
  // with an error of its own, which must not ask again.
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a transport of the SDK has no addEventListener
  transport.onerror = () => {
    if (active && running === undefined) void check();
  };
  return {
    start() {
      active = true;
    },
    check,
    stop() {
      active = false;
    },
  };
}
