import { createSecretKey, generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { SignJWT } from "jose";
import type { JWTPayload } from "jose";
import { startOidcProvider } from "../../fixtures/start-oidc-provider.ts";
import type { OidcProvider } from "../../fixtures/start-oidc-provider.ts";
import { bearer, segment } from "./credentials.ts";
import type { Shown } from "./doorways.ts";
import type { Cells } from "./expected-outcomes.ts";

/** The gateway, as the issuer's tokens name it. */
export const resource = "https://gate.example/mcp";

/** A real authorization server whose key is known, so that bad tokens can be made beside its good ones. */
export interface Issuer {
  readonly provider: OidcProvider;
  /** A JWT as the issuer would make it, but for what is said. */
  forged(claims?: JWTPayload, by?: { key?: KeyObject; alg?: string }): Promise<Shown>;
  /** Every way in which a token of the issuer may be bad. */
  badTokens(): Promise<Cells>;
}

const client = (id: string, role: unknown) => ({ id, secret: `${id}-secret`, claims: { role } });

/** Clients of it get tokens by their own name: with a role, or with one that means nothing. */
export async function startIssuer(): Promise<Issuer> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const provider = await startOidcProvider({
    port: 0,
    keys: [{ ...privateKey.export({ format: "jwk" }), kid: "first", alg: "ES256", use: "sig" }],
    alg: "ES256",
    resource,
    scope: "mcp other",
    lifetimeSeconds: 600,
    clients: [
      client("writer", "writers"),
      client("reader", ["nobody", "readers"]),
      client("owner", "owners"),
      client("guest", "guests"),
    ],
  });
  const { issuer: iss } = provider;

  const forged: Issuer["forged"] = async (
    claims = {},
    { key = privateKey, alg = "ES256" } = {},
  ) => {
    const nowSeconds = Math.floor(Date.now() / 1000);
    const all = {
      iss,
      aud: resource,
      sub: "writer",
      role: "writers",
      scope: "mcp",
      iat: nowSeconds,
      exp: nowSeconds + 300,
      ...claims,
    };
    const header = { alg, kid: "first", typ: "at+jwt" };
    return bearer(await new SignJWT(all).setProtectedHeader(header).sign(key));
  };

  return {
    provider,
    forged,
    async badTokens() {
      const longAgo = Math.floor(Date.now() / 1000) - 3600;
      const stranger = generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;
      const [head = "", body = "", signature = ""] = ((await forged()).token ?? "").split(".");
      const owner = { iss, aud: resource, sub: "owner", role: "owners", exp: longAgo + 7200 };
      const pem = publicKey.export({ format: "pem", type: "spki" });
      const publicSecret = createSecretKey(Buffer.from(pem));
      return {
        expired: [await forged({ exp: longAgo }), "rejected"],
        "not yet valid": [await forged({ nbf: longAgo + 7200 }), "rejected"],
        "for somebody else": [await forged({ aud: "https://other.example" }), "rejected"],
        "of another issuer": [await forged({ iss: "https://other.example" }), "rejected"],
        "without an end": [await forged({ exp: undefined }), "rejected"],
        "signed by a stranger": [await forged({}, { key: stranger }), "rejected"],
        "signed with the public key as a secret": [
          await forged({}, { key: publicSecret, alg: "HS256" }),
          "rejected",
        ],
        "signed by nobody": [bearer(`${segment({ alg: "none" })}.${body}.`), "rejected"],
        "with another body": [bearer(`${head}.${segment(owner)}.${signature}`), "rejected"],
      };
    },
  };
}
