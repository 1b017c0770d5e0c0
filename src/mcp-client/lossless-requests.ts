import type { Client, JSONRPCMessage, Transport } from "@modelcontextprotocol/client";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { progressOf } from "../core/mcp.ts";
import type { Progress } from "../core/mcp.ts";
import { isNestedBeyond, messageLimits } from "./message-limits.ts";

/** What came back for a request, before anybody looked into it. */
export type Answer =
  | { kind: "result"; result: JsonObject }
  | { kind: "error"; error: { code: number; message: string; data?: unknown } }
  /** The stream that was to carry the answer ended without it (Streamable HTTP only). */
  | { kind: "stream-ended" }
  /** What came is nested too deeply to be handed on. */
  | { kind: "too-deep" }
  | { kind: "not-an-answer" };

/** Said of a server that did. */
export const nestedTooDeeply = "it answered something nested too deeply";

type RequestId = string | number;

/** A request under way. */
interface Exchange {
  id?: RequestId;
  answer?: Answer;
  onProgress?: ((progress: Progress) => void) | undefined;
}

export interface LosslessOptions {
  signal?: AbortSignal;
  /** Milliseconds. */
  timeout: number;
  /** HTTP headers of this request alone. */
  headers?: Record<string, string>;
  onProgress?: (progress: Progress) => void;
}

/** @throws what the SDK throws when no answer comes: `SdkError`, the reason of the abort */
export type LosslessRequest = (
  request: { method: "tools/call" | "tools/list"; params: JsonObject },
  options: LosslessOptions,
) => Promise<Answer>;

/** What the SDK gets to see in place of a result; it satisfies its schemas of the methods sent here. */
const standIn = {
  resultType: "complete",
  content: [],
  tools: [],
  ttlMs: 0,
  cacheScope: "private",
};
const anything = {
  "~standard": {
    version: 1 as const,
    vendor: "onedoor",
    validate: (value: unknown) => ({ value }),
  },
};

/**
 * Sends requests through an SDK client and hands back what the server really sent. The SDK does the
 * bookkeeping (ids, progress, cancellation, both eras), but on the way it strips `resultType`, refuses
 * content types it does not know, rebuilds `input_required` results and errors, and drops progress that
 * arrives together with the answer. So responses are taken off the transport before the SDK sees them,
 * and it gets a stand-in; progress is heard there too.
 *
 * To be created before the client connects to the transport.
 */
export function createLosslessRequests(client: Client, transport: Transport): LosslessRequest {
  const exchanges = new Map<RequestId, Exchange>();
  let starting: Exchange | undefined;
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    const id = requestId(message);
    if (id === undefined || starting === undefined) return send(message, options);
    const exchange = starting;
    exchange.id = id;
    exchanges.set(id, exchange);
    return send(message, {
      ...options,
      onRequestStreamEnd: () => {
        options?.onRequestStreamEnd?.();
        if (!exchanges.has(id) || exchange.answer !== undefined) return;
        exchange.answer = { kind: "stream-ended" };
        transport.onmessage?.({ jsonrpc: "2.0", id, result: standIn });
      },
    });
  };
  // The client chains a handler that stands here before it connects, and then reads the same object.
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a transport of the SDK has no addEventListener
  transport.onmessage = (message) => {
    const tooDeep = isNestedBeyond(message, messageLimits.depth);
    if (tooDeep) makeShallow(message);
    if ("method" in message) {
      if (message.method === "notifications/progress") hearProgress(message.params);
      return;
    }
    const response: { id?: RequestId; result?: unknown; error?: unknown } = message;
    const exchange = response.id === undefined ? undefined : exchanges.get(response.id);
    if (exchange === undefined) return;
    exchange.answer ??= tooDeep ? { kind: "too-deep" } : answerOf(response);
    response.result = standIn;
    delete response.error;
  };
  const hearProgress = (params: unknown): void => {
    const token = isJsonObject(params) ? params["progressToken"] : undefined;
    const progress = progressOf(params);
    if (!isRequestId(token) || progress === undefined) return;
    exchanges.get(token)?.onProgress?.(progress);
  };
  return async (request, { onProgress, ...options }) => {
    const exchange: Exchange = { onProgress };
    starting = exchange;
    const answered = client.request(request, anything, {
      ...options,
      // Only to have the SDK ask for progress, under the request's id.
      ...(onProgress !== undefined && { onprogress: () => undefined }),
    });
    // The client has sent it by now, or never will.
    starting = undefined;
    try {
      await answered;
      return exchange.answer ?? { kind: "not-an-answer" };
    } finally {
      if (exchange.id !== undefined) exchanges.delete(exchange.id);
    }
  };
}

/** The SDK and whoever comes after it walk what they get by recursion. */
function makeShallow(message: { params?: unknown; result?: unknown; error?: unknown }): void {
  delete message.params;
  if ("result" in message || "error" in message) {
    delete message.result;
    message.error = { code: -32_603, message: nestedTooDeeply };
  }
}

function requestId(message: JSONRPCMessage): RequestId | undefined {
  if (!("method" in message) || !("id" in message)) return undefined;
  return message.method === "tools/call" || message.method === "tools/list"
    ? message.id
    : undefined;
}

function isRequestId(id: unknown): id is RequestId {
  return typeof id === "string" || typeof id === "number";
}

function answerOf({ result, error }: { result?: unknown; error?: unknown }): Answer {
  if (isJsonObject(error)) {
    const { code, message, data } = error;
    if (typeof code !== "number") return { kind: "not-an-answer" };
    const text = typeof message === "string" ? message : "";
    return {
      kind: "error",
      error: data === undefined ? { code, message: text } : { code, message: text, data },
    };
  }
  return isJsonObject(result) ? { kind: "result", result } : { kind: "not-an-answer" };
}
