import type { JSONRPCMessage } from "@modelcontextprotocol/client";
import { isJsonObject, parseJson } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { createValueCounter } from "../mcp-client/message-limits.ts";

const newline = 0x0a;

/** A line of this many bytes is enough work for one turn. */
const largeLine = 64 * 1024;

export interface LineSink {
  onMessage(message: JSONRPCMessage): void;
  /** A line that is no JSON-RPC message; it is skipped. */
  onRubbish(line: string): void;
  /** A line grew beyond a limit, which is named: nothing after it is looked at. */
  onOverflow(limit: string): void;
}

export interface JsonRpcLines {
  /** Adds bytes; they are looked at by `take`. */
  push(bytes: Buffer): void;
  /** Hands on at most `most` lines, or fewer that are large; returns whether more may be waiting. */
  take(most: number): boolean;
}

/**
 * Cuts a byte stream into lines and the lines into JSON-RPC messages (MCP, stdio transport). A batch
 * (JSON-RPC arrays of protocol revision 2025-03-26) counts as its messages.
 */
export function createJsonRpcLines(
  limits: { bytes: number; values: number },
  sink: LineSink,
): JsonRpcLines {
  const values = createValueCounter(limits.values);
  let waiting: Buffer = Buffer.alloc(0);
  let pieces: Buffer[] = [];
  let length = 0;
  /** Messages of a batch, the next one last. */
  let batch: JSONRPCMessage[] = [];
  let overflown = false;

  const overflow = (limit: string): undefined => {
    overflown = true;
    waiting = Buffer.alloc(0);
    pieces = [];
    sink.onOverflow(limit);
    return undefined;
  };
  const cutLine = (): Buffer | undefined => {
    if (overflown) return undefined;
    const at = waiting.indexOf(newline);
    const piece = at === -1 ? waiting : waiting.subarray(0, at);
    length += piece.length;
    if (length > limits.bytes) return overflow(`${limits.bytes / 1024 ** 2} MiB`);
    if (piece.length > 0) pieces.push(piece);
    waiting = waiting.subarray(at === -1 ? waiting.length : at + 1);
    if (at === -1) return undefined;
    const line = pieces.length === 1 ? (pieces[0] ?? piece) : Buffer.concat(pieces);
    pieces = [];
    length = 0;
    // Every value takes a byte at least.
    if (line.length <= limits.values) return line;
    values.reset();
    return values.add(line) ? line : overflow(`${limits.values} values`);
  };
  const takeLine = (line: string): void => {
    if (line.trim() === "") return;
    const messages = parse(line);
    if (messages === undefined) sink.onRubbish(line);
    else batch = messages.toReversed();
  };

  return {
    push(bytes) {
      if (overflown) return;
      waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
    },
    take(most) {
      for (let taken = 0; taken < most;) {
        const message = batch.pop();
        if (message !== undefined) {
          sink.onMessage(message);
          taken++;
          continue;
        }
        const line = cutLine();
        if (line === undefined) return false;
        takeLine(line.toString("utf8"));
        if (batch.length === 0) taken++;
        if (line.length >= largeLine) taken = Math.max(taken, most - 1);
      }
      return batch.length > 0 || waiting.length > 0;
    },
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
