import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import { parseJson } from "../core/json.ts";
import type { Json } from "../core/json.ts";

/** Levels of arrays and objects that a message may have: what walks it by recursion fails at some thousands. */
const deepest = 512;
/** Values that it may have, all in all: with more, taking it in and checking it holds up everybody else. */
const mostValues = 200_000;

/**
 * What a client sent, as JSON. What would cost too much is refused before it is made.
 * @throws RpcFault -32700 for what is not JSON, -32600 for too many values or levels
 */
export function readJson(text: string): Json {
  const fault = costFault(text);
  if (fault !== undefined) throw new RpcFault({ code: rpcCodes.invalidRequest, message: fault });
  try {
    return parseJson(text);
  } catch {
    throw new RpcFault({
      code: rpcCodes.parseError,
      message: "Parse error: this is not valid JSON",
    });
  }
}

const quote = 0x22;
const comma = 0x2c;
const openingBracket = 0x5b;
const backslash = 0x5c;
const closingBracket = 0x5d;
const openingBrace = 0x7b;
const closingBrace = 0x7d;

/** Why this text is not even parsed; of what is no JSON it may say anything, for that is found out next. */
export function costFault(text: string): string | undefined {
  // A level takes two characters at least.
  if (text.length < 2 * deepest) return undefined;
  let values = 0;
  let level = 0;
  for (let at = 0; at < text.length; at += 1) {
    switch (text.charCodeAt(at)) {
      case quote:
        at = endOfString(text, at);
        break;
      case comma:
        values += 1;
        break;
      case openingBracket:
      case openingBrace:
        values += 1;
        level += 1;
        if (level > deepest) return "The message is nested too deeply";
        break;
      case closingBracket:
      case closingBrace:
        level -= 1;
        break;
      default:
    }
  }
  return values > mostValues ? "The message has too many values" : undefined;
}

/** Where the string that begins here ends, at the latest with the text. */
function endOfString(text: string, start: number): number {
  for (let at = start + 1; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    if (code === quote) return at;
    if (code === backslash) at += 1;
  }
  return text.length;
}
