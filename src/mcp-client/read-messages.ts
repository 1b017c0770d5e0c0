import { parseJson } from "../core/json.ts";
import type { Json } from "../core/json.ts";
import { readMessage } from "../core/json-rpc.ts";
import type { RpcMessage } from "../core/json-rpc.ts";
import { hasMoreValuesThan, isNestedBeyond } from "./message-limits.ts";
import type { messageLimits } from "./message-limits.ts";

export type MessageLimits = typeof messageLimits;

/** What came is beyond a limit of ours, or no message; the text is a reason in one line. */
export class MessageFault extends Error {
  override readonly name = "MessageFault";
}

export function tooLarge(limits: MessageLimits): MessageFault {
  return new MessageFault(`it sent a message of more than ${limits.bytes / 1024 ** 2} MiB`);
}

/**
 * The messages of one JSON text: one, or those of a batch (JSON-RPC arrays of revision 2025-03-26). What
 * is JSON but no message is left out.
 * @throws MessageFault not JSON, too long, too many values, too deep
 */
export function readMessages(text: string, limits: MessageLimits): RpcMessage[] {
  // In characters; the bytes are counted where they come in.
  if (text.length > limits.bytes) throw tooLarge(limits);
  if (hasMoreValuesThan(limits.values, text)) {
    throw new MessageFault(`it sent a message of more than ${limits.values} values`);
  }
  let value: Json;
  try {
    value = parseJson(text);
  } catch {
    throw new MessageFault("it sent something that is not JSON");
  }
  // A level takes two characters at least.
  if (text.length > limits.depth * 2 && isNestedBeyond(value, limits.depth)) {
    throw new MessageFault("it sent something nested too deeply");
  }
  if (!Array.isArray(value)) {
    const message = readMessage(value);
    return message === undefined ? [] : [message];
  }
  return value.flatMap((item) => readMessage(item) ?? []);
}
