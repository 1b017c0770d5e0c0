import type { JwtRules } from "../../core/configuration.ts";
import type { Json, JsonObject } from "../../core/json.ts";

export type ClaimsCheck =
  | { kind: "good"; scopes: readonly string[]; expiresAtMs: number }
  | { kind: "bad"; reason: string };

/** How far the issuer's clock may be ahead of ours. That a token has expired is never forgiven. */
const skewMs = 30_000;
/** The last moment that a date can name (ECMA-262 §21.4.1.1). */
const lastMs = 8.64e15;

/**
 * What an access token must say, whoever signed it (RFC 7519 §4.1, RFC 9068 §4): `iss` and `aud` of the rules, `sub`,
 * an `exp` that is to come, and `nbf` and `iat`, where they are there, that are not. Reasons hold nothing of it.
 */
export function checkAccessTokenClaims(
  claims: JsonObject,
  rules: Pick<JwtRules, "issuer" | "audience">,
  /** Milliseconds since the epoch. */
  nowMs: number,
): ClaimsCheck {
  const missing = ["iss", "sub", "aud", "exp"].find((name) => !Object.hasOwn(claims, name));
  if (missing !== undefined) return bad(`The token has no ${missing}`);
  const { iss, sub, aud, exp, nbf, iat, cnf } = claims;
  if (iss !== rules.issuer) return bad("The token is another issuer's");
  if (typeof sub !== "string" || sub === "") return malformed("sub");
  const audience = textsOf(aud);
  if (audience === undefined) return malformed("aud");
  const expiresAtMs = timeOf(exp);
  if (expiresAtMs === undefined) return malformed("exp");
  const scopes = scopesOf(claims);
  if (scopes === undefined) return malformed("scope");

  if (!audience.some((each) => rules.audience.includes(each))) {
    return bad("The token is for another audience (aud)");
  }
  if (expiresAtMs <= nowMs) return bad("The token has expired");
  for (const [name, value] of [
    ["nbf", nbf],
    ["iat", iat],
  ] as const) {
    if (value === undefined) continue;
    const timeMs = timeOf(value);
    if (timeMs === undefined) return malformed(name);
    if (timeMs > nowMs + skewMs) return bad(`The token is not yet valid (${name})`);
  }
  // Whoever shows it would have to prove that it holds a key (RFC 7800), and here nobody is asked to.
  if (cnf !== undefined) return bad("The token is bound to a key (cnf), which is not spoken here");
  return { kind: "good", scopes, expiresAtMs };
}

const bad = (reason: string): ClaimsCheck => ({ kind: "bad", reason });
const malformed = (claim: string): ClaimsCheck => bad(`The token's ${claim} is malformed`);

/** A time in milliseconds since the epoch of one in seconds (RFC 7519 §2 NumericDate). */
export function timeOf(value: Json | undefined): number | undefined {
  if (typeof value !== "number" || !(value >= 0) || value > lastMs / 1000) return undefined;
  return Math.floor(value * 1000);
}

function textsOf(value: Json | undefined): readonly string[] | undefined {
  const values = Array.isArray(value) ? value : [value];
  const texts = values.filter((each) => typeof each === "string");
  return texts.length === values.length ? texts : undefined;
}

/**
 * `scope` (RFC 8693 §4.2) and `scp`, as some issuers have it, each a text with spaces between, or a list. Undefined when
 * one of them is neither: what limits a token must not be overlooked.
 */
export function scopesOf({ scope, scp }: JsonObject): readonly string[] | undefined {
  const values = [scope, scp].filter((value) => value !== undefined).map(textsOf);
  if (values.includes(undefined)) return undefined;
  const scopes = values.flatMap((texts = []) => texts.flatMap((text) => text.split(" ")));
  return [...new Set(scopes)].filter((each) => each !== "");
}
