import type { JSONRPCMessage, Transport } from "@modelcontextprotocol/client";

const original = Symbol("original");

/** A result that satisfies the SDK's schemas for `tools/*` and carries the real one. */
function standIn(result: unknown): { [key: string]: unknown } {
  return Object.assign(
    { resultType: "complete", content: [], tools: [], ttlMs: 0, cacheScope: "private" },
    { [original]: result },
  );
}

/**
 * Lets the results of `tools/*` requests through the SDK as the server sent them. On the way the SDK strips
 * `resultType`, refuses kinds of content it does not know and rebuilds `input_required` results; so each
 * result is swapped for a stand-in, and the original rides along. Read it with `originalResult`. To be
 * called before the client connects: it chains the handler that stands here then.
 */
export function keepOriginalResults(transport: Transport): void {
  const waiting = new Set<string | number>();
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    if (!("method" in message && "id" in message && message.method.startsWith("tools/"))) {
      return send(message, options);
    }
    const { id } = message;
    waiting.add(id);
    return send(message, {
      ...options,
      onRequestStreamEnd() {
        options?.onRequestStreamEnd?.();
        // The stream that was to bring the result is over, and nothing else would ever come.
        if (!waiting.delete(id)) return;
        transport.onmessage?.({ jsonrpc: "2.0", id, result: standIn(undefined) });
      },
    });
  };
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- a transport of the SDK has no addEventListener
  transport.onmessage = (message: JSONRPCMessage) => {
    if ("result" in message && waiting.delete(message.id)) message.result = standIn(message.result);
    if ("error" in message && message.id !== undefined) waiting.delete(message.id);
  };
}

/** A result as it came (a Standard Schema that takes anything); undefined when none came. */
export const originalResult = {
  "~standard": {
    version: 1 as const,
    vendor: "onedoor",
    validate: (value: unknown): { value: unknown } => ({
      value:
        typeof value === "object" && value !== null && original in value ? value[original] : value,
    }),
  },
};
