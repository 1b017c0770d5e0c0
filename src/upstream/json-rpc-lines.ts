import type { JSONRPCMessage } from "@modelcontextprotocol/client";
import { isJsonObject, parseJson } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";

const newline = 0x0a;

export interface LineSink {
  onMessage(message: JSONRPCMessage): void;
  /** A line that is no JSON-RPC message; it is skipped. */
  onRubbish(line: string): void;
  /** A line grew beyond the limit: nothing after it can be trusted to begin where a message begins. */
  onOverflow(): void;
}

/**
 * Cuts a byte stream into lines and the lines into JSON-RPC messages (MCP, stdio transport). A batch
 * (JSON-RPC arrays of protocol revision 2025-03-26) counts as its messages.
 */
export function createJsonRpcLines(largestBytes: number, sink: LineSink): (bytes: Buffer) => void {
  let pieces: Buffer[] = [];
  let length = 0;
  let overflown = false;
  const take = (line: string): void => {
    if (line.trim() === "") return;
    const messages = parse(line);
    if (messages === undefined) sink.onRubbish(line);
    else for (const message of messages) sink.onMessage(message);
  };
  return (bytes) => {
    let from = 0;
    while (!overflown) {
      const at = bytes.indexOf(newline, from);
      const piece = bytes.subarray(from, at === -1 ? bytes.length : at);
      length += piece.length;
      if (length > largestBytes) {
        overflown = true;
        pieces = [];
        sink.onOverflow();
        return;
      }
      pieces.push(piece);
      if (at === -1) return;
      const line = (pieces.length === 1 ? piece : Buffer.concat(pieces)).toString("utf8");
      pieces = [];
      length = 0;
      from = at + 1;
      take(line);
    }
  };
}

function parse(line: string): JSONRPCMessage[] | undefined {
  let value: Json;
  try {
    value = parseJson(line);
  } catch {
    return undefined;
  }
  const items = Array.isArray(value) ? value : [value];
  const messages = items.map(toMessage);
  return messages.length > 0 && messages.every((message) => message !== undefined)
    ? messages
    : undefined;
}

/**
 * The message with the members JSON-RPC 2.0 knows: the SDK refuses a message with others, and its caller
 * would wait for ever. What is inside `params`, `result` and `error` stays as it is.
 */
function toMessage(value: unknown): JSONRPCMessage | undefined {
  if (!isJsonObject(value) || value["jsonrpc"] !== "2.0") return undefined;
  const { id, method, params, result, error } = value;
  const message: JsonObject = { jsonrpc: "2.0" };
  if (id !== undefined) {
    if (typeof id !== "string" && typeof id !== "number") return undefined;
    message["id"] = id;
  }
  if (typeof method === "string") {
    message["method"] = method;
    if (params !== undefined) message["params"] = params;
  } else if (id === undefined) return undefined;
  else if (error !== undefined) message["error"] = error;
  else if (result !== undefined) message["result"] = result;
  else return undefined;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- checked above as far as the protocol layer relies on it; it checks the rest itself
  return message as unknown as JSONRPCMessage;
}
