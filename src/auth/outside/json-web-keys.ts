import { createPublicKey } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { isJsonObject, parseJson } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/json.ts";

/** A public key that signatures are checked with. */
export interface VerificationKey {
  kid: string | undefined;
  /** The `alg`s (RFC 7518 §3.1, RFC 8037) it is good for. */
  algorithms: readonly string[];
  key: KeyObject;
}

/** More than any issuer has; a set of more is not read at all. */
const maxKeys = 100;
const minRsaBits = 2048;
/** A longer one takes its time with each signature. */
const maxRsaBits = 8192;

const rsaAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"];
const curveAlgorithms: ReadonlyMap<string, readonly string[]> = new Map([
  ["P-256", ["ES256"]],
  ["P-384", ["ES384"]],
  ["P-521", ["ES512"]],
  ["Ed25519", ["EdDSA", "Ed25519"]],
]);
/** What a public key of each type is made of (RFC 7518 §6, RFC 8037 §2); nothing else of it is looked at. */
const publicMembers: ReadonlyMap<string, readonly string[]> = new Map([
  ["RSA", ["n", "e"]],
  ["EC", ["crv", "x", "y"]],
  ["OKP", ["crv", "x"]],
]);
/** Members of private and shared keys: whoever publishes one has lost it. */
const privateMembers = ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"];

/** Every `alg` that a published key can be good for. */
export const publicKeyAlgorithms: readonly string[] = [
  ...rsaAlgorithms,
  ...[...curveAlgorithms.values()].flat(),
];

/**
 * The keys of a JWK set (RFC 7517 §5) that signatures may be checked with. Left out: those for something else (`use`,
 * `key_ops`), of an unknown type or curve, too short (RSA below 2048 bits), private or shared, and broken ones.
 * Certificates and addresses in them (`x5c`, `x5u`) mean nothing here.
 * @returns undefined when the text is no JWK set, or one of more than 100 keys
 */
export function readKeySet(text: string): readonly VerificationKey[] | undefined {
  const keys = keysOf(text);
  if (keys === undefined || keys.length > maxKeys) return undefined;
  return keys.flatMap((key) => (isJsonObject(key) ? verificationKey(key) : []));
}

function keysOf(text: string): readonly Json[] | undefined {
  try {
    const set = parseJson(text);
    const keys = isJsonObject(set) ? set["keys"] : undefined;
    return Array.isArray(keys) ? keys : undefined;
  } catch {
    return undefined;
  }
}

/** Those that may have made a signature: of that id where the token names one. */
export function fittingKeys(
  keys: readonly VerificationKey[],
  { alg, kid }: { alg: string; kid: string | undefined },
): readonly VerificationKey[] {
  return keys.filter(
    (key) => key.algorithms.includes(alg) && (kid === undefined || key.kid === kid),
  );
}

function verificationKey(jwk: JsonObject): readonly VerificationKey[] {
  const { kty, crv, kid, alg, use, key_ops: operations } = jwk;
  if (privateMembers.some((name) => Object.hasOwn(jwk, name))) return [];
  if (kid !== undefined && typeof kid !== "string") return [];
  if (use !== undefined && use !== "sig") return [];
  if (operations !== undefined && !isVerifying(operations)) return [];
  const members = typeof kty === "string" ? publicMembers.get(kty) : undefined;
  if (members === undefined) return [];
  const ofCurve = typeof crv === "string" ? (curveAlgorithms.get(crv) ?? []) : [];
  const able = kty === "RSA" ? rsaAlgorithms : ofCurve;
  const algorithms = alg === undefined ? able : able.filter((known) => known === alg);
  if (algorithms.length === 0) return [];
  const key = importKey(pick(jwk, ["kty", ...members]));
  return key === undefined || !isStrong(key) ? [] : [{ kid, algorithms, key }];
}

const isVerifying = (operations: Json): boolean =>
  Array.isArray(operations) && operations.includes("verify");

function pick(jwk: JsonObject, members: readonly string[]): JsonObject {
  return Object.fromEntries(
    members.flatMap((name) => {
      const value = jwk[name];
      return value === undefined ? [] : [[name, value]];
    }),
  );
}

function importKey(jwk: JsonObject): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: "jwk" });
  } catch {
    return undefined;
  }
}

function isStrong({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): boolean {
  if (asymmetricKeyType !== "rsa") return true;
  const { modulusLength = 0, publicExponent = 0n } = asymmetricKeyDetails ?? {};
  const isLong = modulusLength >= minRsaBits && modulusLength <= maxRsaBits;
  // With 1 a signature is what it signs, and an even one signs nothing.
  return isLong && publicExponent > 1n && publicExponent % 2n === 1n;
}
