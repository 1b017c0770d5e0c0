import { isJsonObject, parseJson } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import { mintedTokenPrefix } from "../minted-token-format.ts";

/** The longest that is sent anywhere. */
const maxLength = 16 * 1024;

/** `b64token` (RFC 6750 §2.1). */
const bearerToken = /^[A-Za-z0-9\-._~+/]+=*$/;

/** Whether it may be shown to a server elsewhere: a bearer by its form, and none that was minted here. */
export function isForOutside(bearer: string): boolean {
  return (
    bearer.length <= maxLength && bearerToken.test(bearer) && !bearer.startsWith(mintedTokenPrefix)
  );
}

/**
 * What a JWT says of itself (RFC 7519), whoever may have signed it: to be believed only when somebody who can check
 * it has. Undefined: it is no JWT.
 */
export function unverifiedClaims(token: string): JsonObject | undefined {
  const [, payload = "", signature, ...rest] = token.split(".");
  if (signature === undefined || rest.length > 0) return undefined;
  try {
    const claims = parseJson(Buffer.from(payload, "base64url").toString("utf8"));
    return isJsonObject(claims) ? claims : undefined;
  } catch {
    return undefined;
  }
}

/** When a token expires (RFC 7519 §4.1.4), in milliseconds since the epoch; undefined: it does not say. */
export function expiryOf({ exp: seconds }: JsonObject): number | undefined {
  return typeof seconds === "number" && Number.isFinite(seconds) ? seconds * 1000 : undefined;
}
