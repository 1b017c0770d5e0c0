import { hash } from "node:crypto";
import type { IdentityMapping, JwtRules } from "../../core/configuration.ts";
import type { JsonObject } from "../../core/json.ts";
import type { Logger } from "../../core/logger.ts";
import type { Authentication, Authenticator, SignInWay } from "../authenticator.ts";
import type { Directory } from "../directory.ts";
import { mintedTokenPrefix } from "../minted-token-format.ts";
import { checkAccessTokenClaims, timeOf } from "./access-token-claims.ts";
import type { AskAuthServer } from "./ask-auth-server.ts";
import { createAvailabilityLog } from "./availability-log.ts";
import { readCompactJws } from "./compact-jws.ts";
import type { CompactJws } from "./compact-jws.ts";
import { createIssuerMetadata } from "./issuer-metadata.ts";
import { requireSafeRules } from "./jwt-rules.ts";
import { createKeySet, fetchKeys } from "./key-set.ts";
import { createOutsidePrincipals } from "./outside-principals.ts";
import { createKeySetCheck, createSecretCheck } from "./signature-check.ts";
import type { SignatureCheck, SignedBy } from "./signature-check.ts";

/** Longer than any token that fits a header. */
const maxTokenLength = 16 * 1024;
/** What a token may call itself (RFC 8725 §3.11): one that tells of a logout or an event is none to get in by. */
const accessTokenTypes = new Set(["jwt", "at+jwt", "application/jwt", "application/at+jwt"]);

export interface JwtAuthenticatorOptions {
  rules: JwtRules;
  mapping: IdentityMapping;
  directory: Pick<Directory, "organization">;
  ask: AskAuthServer;
  /** Hears when the keys cannot be got, not of each request. */
  logger: Pick<Logger, "info" | "warn" | "error">;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Its type is the method of whoever gets in. */
  way: SignInWay;
}

/**
 * Accepts access tokens of one issuer, checked here with the issuer's keys (RFC 7519, RFC 8725, RFC 9068). Where the
 * keys are is said by the configuration or the issuer's metadata, never by a token: `jku`, `x5u`, `jwk` and `x5c` in
 * one are not looked at. Another issuer's token, and what is no JWT, is not its own; one of this issuer with anything
 * wrong is rejected. When the keys cannot be got, nobody is let in and nothing rejected for its signature. The claims
 * are checked before it, so that a token that is no good anyhow makes nobody ask the issuer.
 * @throws AppError `config_invalid` for rules that are not safe
 */
export function createJwtAuthenticator(options: JwtAuthenticatorOptions): Authenticator {
  const { rules, mapping, directory, now, way } = options;
  requireSafeRules(rules);
  const checkSignature = signatureCheckOf(options);
  const principals = createOutsidePrincipals(mapping, directory);

  const ours = async (bearer: string, { header, claims }: CompactJws): Promise<Authentication> => {
    const by = signedBy(header, rules.algorithms);
    if (typeof by === "string") return rejected(by);
    const check = checkAccessTokenClaims(claims, rules, now());
    if (check.kind === "bad") return rejected(check.reason);
    const tokenHash = hash("sha256", bearer);
    const issuedAtMs = timeOf(claims["iat"]);
    const signature = await checkSignature(bearer, { ...by, issuedAtMs }, tokenHash);
    if (signature.kind === "bad") return rejected(signature.reason);
    if (signature.kind === "unavailable") return signature;
    return principals.accept({
      issuer: rules.issuer,
      claims,
      scopes: check.scopes,
      method: way.type,
      expiresAtMs: check.expiresAtMs,
      tokenHash,
    });
  };

  return {
    way,
    renew: (principal) => principals.renew(principal),
    async authenticate({ bearer }) {
      if (bearer === undefined) return { kind: "absent" };
      if (bearer.startsWith(mintedTokenPrefix)) return { kind: "not-mine" };
      if (bearer.length > maxTokenLength) return rejected("The token is longer than 16 KiB");
      const read = readCompactJws(bearer);
      if (read.kind === "other") return { kind: "not-mine", reason: "The token is no signed JWT" };
      const { iss } = read.claims;
      if (typeof iss === "string" && iss !== rules.issuer) {
        return { kind: "not-mine", reason: "The token's issuer (iss) is not known here" };
      }
      return read.kind === "malformed" ? rejected(read.reason) : ours(bearer, read);
    },
  };
}

function rejected(reason: string): Authentication {
  return { kind: "rejected", reason };
}

function signatureCheckOf({ rules, ask, logger, now }: JwtAuthenticatorOptions): SignatureCheck {
  const { issuer, keys } = rules;
  if (keys.kind === "secret") return createSecretCheck(keys);
  const { url } = keys;
  const metadata = createIssuerMetadata({ issuer, ask, now });
  const locate = async (): Promise<string> => url ?? metadata.endpoint("jwks_uri");
  const log = createAvailabilityLog({ logger, url: url ?? issuer, now });
  const load = (): ReturnType<typeof fetchKeys> =>
    log.watch(async () => fetchKeys(await locate(), ask));
  return createKeySetCheck(createKeySet({ load, now }));
}

/** @returns what is wrong with the header, as a text */
function signedBy(
  { alg, kid, typ, crit, b64 }: JsonObject,
  algorithms: readonly string[],
): SignedBy | string {
  if (typeof alg !== "string" || !algorithms.includes(alg)) {
    return "The token's algorithm (alg) is not accepted here";
  }
  // No extension is understood, so none may be critical (RFC 7515 §4.1.11); a JWT's payload is encoded (RFC 7797 §7).
  if (crit !== undefined) return "The token needs an extension (crit) that is not known here";
  if (b64 !== undefined) return "The token's payload is not encoded as a JWT's is (b64)";
  if (kid !== undefined && typeof kid !== "string") return "The token's kid is malformed";
  if (typ === undefined) return { alg, kid };
  const isAccessToken = typeof typ === "string" && accessTokenTypes.has(typ.toLowerCase());
  return isAccessToken ? { alg, kid } : "The token is not an access token (typ)";
}
