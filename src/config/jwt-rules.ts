import type { JwtRules } from "../core/configuration.ts";
import { closest } from "../core/suggest.ts";
import type { Findings } from "./findings.ts";
import { checkOutsideUrl } from "./outside-url.ts";

/** Public keys (RFC 7518 §3.1, RFC 8037, RFC 9864), and what is accepted of them where nothing is written. */
const asymmetric = [
  "RS256",
  "RS384",
  "RS512",
  "PS256",
  "PS384",
  "PS512",
  "ES256",
  "ES384",
  "ES512",
];
const edwards = ["EdDSA", "Ed25519"];
const defaultAlgorithms = ["RS256", "PS256", "ES256", ...edwards];
/** Shared secrets, and the bytes a secret must have at least (RFC 7518 §3.2). */
const hmacBytes: ReadonlyMap<string, number> = new Map([
  ["HS256", 32],
  ["HS384", 48],
  ["HS512", 64],
]);
const publicAlgorithms: readonly string[] = [...asymmetric, ...edwards];
const allAlgorithms = [...publicAlgorithms, ...hmacBytes.keys()];

export interface WrittenJwtRules {
  issuer: string;
  audience: string | readonly string[];
  algorithms?: readonly string[] | undefined;
  jwksUri?: string | undefined;
  secret?: string | undefined;
}

/** The rules of a JWT with their defaults. Reports what is wrong with them; a secret is never repeated. */
export function toJwtRules(
  { issuer, audience, algorithms, jwksUri, secret }: WrittenJwtRules,
  findings: Findings,
  insecureHttp: boolean,
): JwtRules {
  if (secret !== undefined && jwksUri !== undefined) {
    const reason = "stands beside jwksUri; keys are published or shared, never both";
    findings.problem(["secret"], reason, "leave one of them out");
  }
  if (jwksUri !== undefined) {
    checkOutsideUrl(jwksUri, ["jwksUri"], findings, { insecureHttp, query: true });
  }
  if (secret === undefined && jwksUri === undefined) {
    checkOutsideUrl(issuer, ["issuer"], findings, { insecureHttp, query: false });
  } else if (/[\s\p{Cc}]/u.test(issuer)) {
    findings.problem(["issuer"], "must not hold spaces");
  }
  const accepted = algorithms ?? (secret === undefined ? defaultAlgorithms : ["HS256"]);
  for (const [index, algorithm] of accepted.entries()) {
    const reason = faultOfAlgorithm(algorithm, secret !== undefined);
    if (reason !== undefined) findings.problem(["algorithms", index], reason);
  }
  if (secret !== undefined) {
    const reason = faultOfSecret(secret, accepted);
    if (reason !== undefined) findings.problem(["secret"], reason);
  }
  return {
    kind: "jwt",
    issuer,
    audience: toAudience(audience),
    algorithms: [...new Set(accepted)],
    keys: secret === undefined ? { kind: "jwks", url: jwksUri } : { kind: "secret", secret },
  };
}

export function toAudience(written: string | readonly string[] | undefined): readonly string[] {
  if (written === undefined) return [];
  return typeof written === "string" ? [written] : [...new Set(written)];
}

function faultOfAlgorithm(algorithm: string, isShared: boolean): string | undefined {
  if (algorithm.toLowerCase() === "none") {
    return "must not be none, which accepts whatever anybody writes";
  }
  if (!allAlgorithms.includes(algorithm)) {
    const near = closest(algorithm, allAlgorithms);
    return near === undefined
      ? `unknown algorithm; known are ${allAlgorithms.join(", ")}`
      : `unknown algorithm; did you mean ${near}?`;
  }
  const needsSecret = hmacBytes.has(algorithm);
  if (needsSecret && !isShared) return `${algorithm} needs secret; public keys are for the others`;
  if (!needsSecret && isShared) {
    return `${algorithm} is for public keys; with secret it is HS256, HS384 or HS512`;
  }
  return undefined;
}

function faultOfSecret(secret: string, algorithms: readonly string[]): string | undefined {
  if (/^\s*(?:-----BEGIN |\{)/u.test(secret)) {
    return "is a key, not a shared secret; name the issuer's public keys in jwksUri";
  }
  const needed = Math.max(32, ...algorithms.map((algorithm) => hmacBytes.get(algorithm) ?? 0));
  return Buffer.byteLength(secret) < needed
    ? `must be at least ${needed} bytes long, or it could be guessed from a token`
    : undefined;
}
