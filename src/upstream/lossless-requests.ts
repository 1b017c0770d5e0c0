import type {
  Client,
  JSONRPCMessage,
  RequestOptions,
  Transport,
} from "@modelcontextprotocol/client";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";

/** What came back for a request, before anybody looked into it. */
export type Answer =
  | { kind: "result"; result: JsonObject }
  | { kind: "error"; error: { code: number; message: string; data?: unknown } }
  /** The stream that was to carry the answer ended without it (Streamable HTTP only). */
  | { kind: "stream-ended" }
  | { kind: "not-an-answer" };

const answerKey = Symbol("answer");

/** Results that satisfy the SDK's own schemas for the methods sent here, and carry the real answer along. */
function envelope(answer: Answer): JsonObject {
  return Object.assign(
    { resultType: "complete", content: [], tools: [], ttlMs: 0, cacheScope: "private" },
    { [answerKey]: answer },
  );
}

const openEnvelope = {
  "~standard": {
    version: 1 as const,
    vendor: "onedoor",
    validate: (value: unknown): { value: Answer } => ({
      value: (value as { [answerKey]?: Answer })[answerKey] ?? { kind: "not-an-answer" },
    }),
  },
};

/**
 * Sends requests through an SDK client and hands back what the server really sent. The SDK does the
 * bookkeeping (ids, progress, cancellation, both eras), but on the way it strips `resultType`, refuses
 * content types it does not know and rebuilds `input_required` results and errors. So its responses are
 * swapped for empty ones on the transport, each carrying the original.
 *
 * To be created before the client connects to the transport.
 */
export function createLosslessRequests(
  client: Client,
  transport: Transport,
): (
  request: { method: "tools/call" | "tools/list"; params: JsonObject },
  options: RequestOptions,
) => Promise<Answer> {
  const waiting = new Set<string | number>();
  let lastId: string | number | undefined;
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    const id = requestId(message);
    if (id === undefined) return send(message, options);
    waiting.add(id);
    lastId = id;
    return send(message, {
      ...options,
      onRequestStreamEnd: () => {
        options?.onRequestStreamEnd?.();
        if (!waiting.delete(id)) return;
        const result = envelope({ kind: "stream-ended" });
        transport.onmessage?.({ jsonrpc: "2.0", id, result } as JSONRPCMessage);
      },
    });
  };
  // The client chains a handler that stands here before it connects, and then reads the same object.
  transport.onmessage = (message) => {
    const response = message as { id?: string | number; result?: unknown; error?: unknown };
    if ("method" in message || response.id === undefined || !waiting.delete(response.id)) return;
    response.result = envelope(answerOf(response));
    delete response.error;
  };
  return async (request, options) => {
    lastId = undefined;
    const answer = client.request(request, openEnvelope, options) as Promise<Answer>;
    // The client sends before it returns; an answer that never comes must not be waited for for ever.
    const id = lastId;
    try {
      return await answer;
    } finally {
      if (id !== undefined) waiting.delete(id);
    }
  };

  function requestId(message: JSONRPCMessage): string | number | undefined {
    if (!("method" in message) || !("id" in message)) return undefined;
    return message.method === "tools/call" || message.method === "tools/list"
      ? message.id
      : undefined;
  }
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
