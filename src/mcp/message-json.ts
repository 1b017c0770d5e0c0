import type { RpcMessage } from "../core/json-rpc.ts";
import type { Json } from "../core/json.ts";

/**
 * The JSON of lists that many clients are answered, for as long as the lists live: a catalog is made once and listed
 * often, and may be long.
 */
const texts = new WeakMap<object, string>();

/**
 * A list that goes into results as it is: its JSON is made once.
 * @param list nobody changes it any more, nor what is in it
 */
export function sharedList(list: readonly Json[]): Json[] {
  if (!texts.has(list)) texts.set(list, "");
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a result's lists are only read
  return list as Json[];
}

/** What `JSON.stringify` makes of the message, byte for byte. */
export function messageJson(message: RpcMessage): string {
  if (!("result" in message)) return JSON.stringify(message);
  const { jsonrpc, id, result } = message;
  if (!Object.values(result).some(isShared)) return JSON.stringify(message);
  const written = Object.entries(result)
    .filter(([, value]) => value !== undefined)
    .map(
      ([key, value]) =>
        `${JSON.stringify(key)}:${isShared(value) ? listJson(value) : JSON.stringify(value)}`,
    );
  const head = JSON.stringify({ jsonrpc, id });
  return `${head.slice(0, -1)},"result":{${written.join(",")}}}`;
}

function isShared(value: Json | undefined): value is Json[] {
  return Array.isArray(value) && texts.has(value);
}

function listJson(list: Json[]): string {
  let text = texts.get(list) ?? "";
  if (text === "") {
    text = JSON.stringify(list);
    texts.set(list, text);
  }
  return text;
}
