import type { KeyObject } from "node:crypto";
import type { JwtRules } from "../../core/configuration.ts";
import { createBoundedMap } from "./bounded-map.ts";
import { fittingKeys } from "./json-web-keys.ts";
import type { VerificationKey } from "./json-web-keys.ts";
import type { KeySet } from "./key-set.ts";

export type SignatureAnswer =
  | { kind: "good" }
  | { kind: "bad"; reason: string }
  | { kind: "unavailable"; reason: string };

/** What a token's header says of its signature; `alg` is one of those that are accepted. */
export interface SignedBy {
  alg: string;
  kid: string | undefined;
  /** When the token says that it was made, in milliseconds since the epoch; absent: it does not say. */
  issuedAtMs?: number | undefined;
}

/** @param token a compact JWS @param hash hex SHA-256 of it */
export type SignatureCheck = (
  token: string,
  by: SignedBy,
  hash: string,
) => Promise<SignatureAnswer>;

/** Those of a set without ids that are tried; a token that names its key has one. */
const maxTried = 16;

const good = { kind: "good" } as const;
const wrong = { kind: "bad", reason: "The token's signature is not right" } as const;
const unknown = {
  kind: "bad",
  reason: "The token is signed by a key that its issuer does not publish",
} as const;

/** By the secret that the issuer and the gateway share. */
export function createSecretCheck({
  secret,
}: Extract<JwtRules["keys"], { kind: "secret" }>): SignatureCheck {
  const key = Buffer.from(secret);
  return async (token, { alg }) => ((await isSignedByOne(token, alg, [key])) ? good : wrong);
}

/**
 * By the keys that the issuer publishes. When none of those that are known has signed, they are asked for once more,
 * as often as the key set allows: the issuer may have new ones. While it cannot be asked, only a key that is known
 * can say that a signature is not right; nor can a token be refused for a key that may be newer than those that were
 * got a moment ago. A token that these keys were found to have signed is not looked at again:
 * clients show one again and again, and to look takes as long as all else that a call costs.
 */
export function createKeySetCheck(set: KeySet): SignatureCheck {
  const signed = createBoundedMap<readonly VerificationKey[]>({ entries: 10_000, weight: 10_000 });
  return async (token, by, hash) => {
    const first = await set.current();
    if (first.kind === "unavailable") return first;
    if (signed.get(hash) === first.keys) return good;
    const known = fittingKeys(first.keys, by);
    if (await isSignedByOne(token, by.alg, keysOf(known))) {
      signed.set(hash, first.keys, 1);
      return good;
    }
    const isMissing = by.kid !== undefined && !first.keys.some(({ kid }) => kid === by.kid);
    const again = await set.fresher({
      lookedAt: first.keys,
      missing: isMissing ? { issuedAtMs: by.issuedAtMs } : undefined,
    });
    if (again.kind === "unavailable") {
      return by.kid !== undefined && known.length > 0 ? wrong : again;
    }
    const renewed = fittingKeys(again.keys, by);
    if (renewed.length === 0) return unknown;
    const isSigned =
      again.keys !== first.keys && (await isSignedByOne(token, by.alg, keysOf(renewed)));
    return isSigned ? good : wrong;
  };
}

const keysOf = (keys: readonly VerificationKey[]): readonly KeyObject[] =>
  keys.map(({ key }) => key);

async function isSignedByOne(
  token: string,
  alg: string,
  keys: readonly (KeyObject | Uint8Array)[],
): Promise<boolean> {
  // Loaded with the first token: most gateways see none.
  const { compactVerify } = await import("jose");
  for (const key of keys.slice(0, maxTried)) {
    try {
      await compactVerify(token, key, { algorithms: [alg] });
      return true;
    } catch {
      // Whatever is wrong: this key has not shown that it signed this.
    }
  }
  return false;
}
