import { createHmac, generateKeyPairSync, sign } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { AuthServerUnavailable } from "../../../../src/auth/outside/ask-auth-server.ts";
import type { AskAuthServer } from "../../../../src/auth/outside/ask-auth-server.ts";
import type { IdentityMapping, JwtRules } from "../../../../src/core/configuration.ts";
import { isJsonObject, parseJson } from "../../../../src/core/json.ts";
import type { JsonObject } from "../../../../src/core/json.ts";

export const issuerUrl = "https://issuer.example/tenant";
export const metadataUrl = "https://issuer.example/.well-known/oauth-authorization-server/tenant";
export const keysUrl = "https://issuer.example/keys";
export const audience = "https://gateway.example/mcp";
/** Milliseconds since the epoch: when all tests here are. */
export const startMs = 1_800_000_000_000;
export const nowSeconds = startMs / 1000;

export const rules: JwtRules = {
  kind: "jwt",
  issuer: issuerUrl,
  audience: [audience],
  algorithms: ["RS256", "PS256", "ES256", "EdDSA"],
  keys: { kind: "jwks" },
};
export const mapping: IdentityMapping = {
  claims: { user: ["sub"] },
  organizationId: null,
  role: "viewer",
  requiredScopes: [],
};

const nobody = (): void => undefined;
/** Where what a logger says goes when it is not looked at. */
export const silent = { info: nobody, warn: nobody, error: nobody };

export interface SigningKey {
  alg: string;
  kid: string;
  publicKey: KeyObject;
  privateKey: KeyObject;
  /** As the issuer publishes it. */
  jwk: JsonObject;
}

export function newKey(
  alg: "RS256" | "PS256" | "ES256" | "EdDSA",
  kid: string,
  bits = 2048,
): SigningKey {
  const { publicKey, privateKey } =
    alg === "ES256"
      ? generateKeyPairSync("ec", { namedCurve: "P-256" })
      : alg === "EdDSA"
        ? generateKeyPairSync("ed25519")
        : generateKeyPairSync("rsa", { modulusLength: bits });
  const exported: unknown = publicKey.export({ format: "jwk" });
  if (!isJsonObject(exported)) throw new Error("not a JWK");
  return { alg, kid, publicKey, privateKey, jwk: { ...exported, kid, alg, use: "sig" } };
}

export const goodClaims = {
  iss: issuerUrl,
  sub: "ada",
  aud: audience,
  iat: nowSeconds,
  exp: nowSeconds + 300,
};

const encode = (text: string | Uint8Array): string => Buffer.from(text).toString("base64url");

/** A compact JWS of any two texts. */
export function compact(
  header: string,
  payload: string,
  signer: (input: Buffer) => Uint8Array,
): string {
  const input = `${encode(header)}.${encode(payload)}`;
  return `${input}.${encode(signer(Buffer.from(input)))}`;
}

export function signerOf({ alg, privateKey }: SigningKey): (input: Buffer) => Uint8Array {
  if (alg === "EdDSA") return (input) => sign(null, input, privateKey);
  if (alg === "ES256") {
    return (input) => sign("sha256", input, { key: privateKey, dsaEncoding: "ieee-p1363" });
  }
  // 6: RSA_PKCS1_PSS_PADDING, 1: RSA_PKCS1_PADDING.
  const padding = alg === "PS256" ? { padding: 6, saltLength: 32 } : { padding: 1 };
  return (input) => sign("sha256", input, { key: privateKey, ...padding });
}

/** As the issuer signs it, with what is given in place of what is good. */
export function token(
  key: SigningKey,
  { claims = {}, header = {} }: { claims?: object; header?: object } = {},
): string {
  return compact(
    JSON.stringify({ alg: key.alg, kid: key.kid, typ: "at+jwt", ...header }),
    JSON.stringify({ ...goodClaims, ...claims }),
    signerOf(key),
  );
}

export function hmacToken(
  secret: string | Uint8Array,
  { claims = {}, header = {} }: { claims?: object; header?: object } = {},
): string {
  return compact(
    JSON.stringify({ alg: "HS256", typ: "JWT", ...header }),
    JSON.stringify({ ...goodClaims, ...claims }),
    (input) => createHmac("sha256", secret).update(input).digest(),
  );
}

/** An issuer without a network: what its addresses answer may be changed, and what was asked is counted. */
export function createFakeIssuer(keys: readonly SigningKey[]) {
  const asked: string[] = [];
  const pages = new Map<string, { status: number; body: string }>();
  const publish = (published: readonly JsonObject[]): void => {
    pages.set(keysUrl, { status: 200, body: JSON.stringify({ keys: published }) });
  };
  const metadata = { issuer: issuerUrl, jwks_uri: keysUrl };
  pages.set(metadataUrl, { status: 200, body: JSON.stringify(metadata) });
  publish(keys.map(({ jwk }) => jwk));
  const ask: AskAuthServer = async ({ url }) => {
    asked.push(url);
    await issuer.held;
    if (issuer.isDown) throw new AuthServerUnavailable("The auth server cannot be reached");
    return { headers: {}, status: 404, body: "", ...pages.get(url) };
  };
  const issuer = {
    ask,
    asked,
    pages,
    publish,
    isDown: false,
    /** Answers only once this is fulfilled. */
    held: Promise.resolve(),
    keysAsked: () => asked.filter((url) => url === keysUrl).length,
  };
  return issuer;
}

/** What a segment of a token holds. */
export function segment(text: string, index: number): JsonObject {
  const value = parseJson(Buffer.from(text.split(".")[index] ?? "", "base64url").toString());
  if (!isJsonObject(value)) throw new Error("not an object");
  return value;
}
