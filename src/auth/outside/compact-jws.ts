import { isJsonObject, parseJson } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import { hasRepeatedKey } from "./has-repeated-key.ts";

/** A JWT in the compact form (RFC 7515 §3.1), read and not yet believed. */
export interface CompactJws {
  header: JsonObject;
  claims: JsonObject;
}

/**
 * `other`: no JWT in this form at all. `malformed`: it is one, and what is in it can be read in more ways than one, or
 * in none; its `claims` are for finding out whose it is, and for nothing else.
 */
export type ReadJws =
  | ({ kind: "read" } & CompactJws)
  | { kind: "malformed"; reason: string; claims: JsonObject }
  | { kind: "other" };

const form = /^([\w-]+)\.([\w-]+)\.([\w-]*)$/u;

/** A signature may be empty here: what is not signed is refused by its `alg`. */
export function readCompactJws(text: string): ReadJws {
  const [, first, second, signature] = form.exec(text) ?? [];
  if (first === undefined || second === undefined || signature === undefined) {
    return { kind: "other" };
  }
  const header = objectOf(first);
  const claims = objectOf(second);
  if (header.object === undefined || claims.object === undefined) return { kind: "other" };
  const { object } = claims;
  const malformed = (reason: string): ReadJws => ({ kind: "malformed", reason, claims: object });
  if (![first, second, signature].every(isCanonical)) {
    return malformed("The token is not encoded in the one way there is (base64url)");
  }
  // Of two members of one name each reader takes the one it likes (RFC 7515 §4, RFC 7519 §4).
  if (header.isRepeated) return malformed("The token's header has a member twice");
  if (claims.isRepeated) return malformed("The token has a claim twice");
  return { kind: "read", header: header.object, claims: object };
}

/** Without bits that are thrown away: else one token has several spellings. */
function isCanonical(segment: string): boolean {
  return Buffer.from(segment, "base64url").toString("base64url") === segment;
}

function objectOf(segment: string): { object?: JsonObject; isRepeated: boolean } {
  try {
    const bytes = Buffer.from(segment, "base64url");
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    const value = parseJson(text);
    return isJsonObject(value)
      ? { object: value, isRepeated: hasRepeatedKey(text) }
      : { isRepeated: false };
  } catch {
    return { isRepeated: false };
  }
}
