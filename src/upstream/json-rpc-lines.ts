import { isJsonObject, parseJson } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { isRequestId, readMessage } from "../core/json-rpc.ts";
import type { RequestId, RpcMessage } from "../core/json-rpc.ts";
import { createValueCounter } from "../mcp-client/message-limits.ts";
import { costOf } from "../mcp-client/pace.ts";

const newline = 0x0a;

/** A line of this many bytes is enough work for one turn. */
const largeLine = 64 * 1024;

export interface LineSink {
  /**
   * @param bytes of the line it stood on
   * @param cost its share of what the line cost, as `costOf` counts it
   */
  onMessage(message: RpcMessage, bytes: number, cost: number): void;
  /** An answer that is none: its `result` or `error` is not what JSON-RPC and MCP say. */
  onFaultyAnswer(id: RequestId): void;
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

type Entry = { kind: "message"; message: RpcMessage } | { kind: "fault"; id: RequestId };

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
  /** What stood on a line, in case of a batch more than one, the next one last. */
  let batch: Entry[] = [];
  let lineBytes = 0;
  /** What each that stood on it cost. */
  let costOfEach = 0;
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
    values.reset();
    return values.add(line) ? line : overflow(`${limits.values} values`);
  };
  const takeLine = (line: string): void => {
    if (line.trim() === "") return;
    const entries = parse(line);
    if (entries === undefined) sink.onRubbish(line);
    else {
      batch = entries.toReversed();
      costOfEach = costOf(lineBytes, values.count()) / entries.length;
    }
  };
  const handOn = (entry: Entry): void => {
    if (entry.kind === "message") sink.onMessage(entry.message, lineBytes, costOfEach);
    else sink.onFaultyAnswer(entry.id);
  };

  return {
    push(bytes) {
      if (overflown) return;
      waiting = waiting.length === 0 ? bytes : Buffer.concat([waiting, bytes]);
    },
    take(most) {
      for (let taken = 0; taken < most;) {
        const entry = batch.pop();
        if (entry !== undefined) {
          handOn(entry);
          taken++;
          continue;
        }
        const line = cutLine();
        if (line === undefined) return false;
        lineBytes = line.length;
        takeLine(line.toString("utf8"));
        if (batch.length === 0) taken++;
        if (line.length >= largeLine) taken = Math.max(taken, most - 1);
      }
      return batch.length > 0 || waiting.length > 0;
    },
  };
}

/** What stands on one line; undefined when any part of it is neither a message nor a faulty answer. */
function parse(line: string): Entry[] | undefined {
  let value: Json;
  try {
    value = parseJson(line);
  } catch {
    return undefined;
  }
  const entries = (Array.isArray(value) ? value : [value]).map(readEntry);
  return entries.length > 0 && entries.every((entry) => entry !== undefined) ? entries : undefined;
}

function readEntry(value: Json): Entry | undefined {
  const message = readMessage(value);
  if (message !== undefined) return { kind: "message", message };
  if (!isJsonObject(value) || value["jsonrpc"] !== "2.0" || value["method"] !== undefined) {
    return undefined;
  }
  const { id } = value;
  const answers = "result" in value || "error" in value;
  return answers && isRequestId(id) ? { kind: "fault", id } : undefined;
}
