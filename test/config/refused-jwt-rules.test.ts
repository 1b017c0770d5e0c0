import { describe, expect, test } from "vitest";
import { useRefusals } from "./support/refusals.ts";
import type { RefusedRow } from "./support/refusals.ts";

const { refusalOf } = useRefusals();

const jwt = { issuer: "https://id.example.com", audience: "onedoor", role: "viewer" };
const secret = "0123456789abcdef0123456789abcdef";
const inClear = "must begin with https://, or tokens would cross the network in the clear";

describe("jwt and oauth", () => {
  const both: RefusedRow[] = [
    ["no options", undefined, ": is missing (it needs issuer and audience)"],
    ["no issuer", { audience: "a" }, "issuer: is missing (expected a string)"],
    [
      "no audience",
      { issuer: "https://id.example.com" },
      "audience: is missing (expected a text or a list of texts)",
    ],
    ["an empty audience", { ...jwt, audience: "" }, "audience: must not be empty"],
    ["an issuer that is no address", { ...jwt, issuer: "accounts" }, "issuer: is not a URL"],
    [
      "an issuer over plain http",
      { ...jwt, issuer: "http://id.example.com" },
      `issuer: ${inClear}`,
    ],
    [
      "an issuer with a query",
      { ...jwt, issuer: "https://id.example.com?a=b" },
      "issuer: must not hold a query",
    ],
    [
      "keys over plain http",
      { ...jwt, jwksUri: "http://id.example.com/keys" },
      `jwksUri: ${inClear}`,
    ],
    [
      "keys in a data URL",
      { ...jwt, jwksUri: "data:application/json,{}" },
      "jwksUri: is not a URL",
    ],
    ["no algorithm", { ...jwt, algorithms: [] }, "algorithms: must name at least one algorithm"],
    ...["none", "None", "NONE"].map((none): RefusedRow => [
      `the algorithm ${none}`,
      { ...jwt, algorithms: ["RS256", none] },
      "algorithms[1]: must not be none, which accepts whatever anybody writes",
    ]),
    [
      "HMAC without a secret",
      { ...jwt, algorithms: ["HS256"] },
      "algorithms[0]: HS256 needs secret; public keys are for the others",
    ],
    [
      "a misspelt algorithm",
      { ...jwt, algorithms: ["RS265"] },
      "algorithms[0]: unknown algorithm; did you mean RS256?",
    ],
    [
      "an algorithm that nobody knows",
      { ...jwt, algorithms: ["rot13-and-more"] },
      "algorithms[0]: unknown algorithm; known are RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA, Ed25519, HS256, HS384, HS512",
    ],
    [
      "a misspelt claim",
      { ...jwt, claims: { organisation: "org" } },
      "claims.organisation: unknown key; did you mean organization?",
    ],
  ];
  const table = ["jwt", "oauth"].flatMap((type) =>
    both.map(([what, options, refusal]): [string, ...RefusedRow] => [type, what, options, refusal]),
  );
  test.each(table)("%s: %s is refused", async (type, _what, options, refusal) => {
    expect(await refusalOf(type, options)).toBe(refusal);
  });

  test.each<RefusedRow>([
    [
      "a secret beside public keys",
      { ...jwt, secret, jwksUri: "https://id.example.com/keys" },
      "secret: stands beside jwksUri; keys are published or shared, never both",
    ],
    [
      "an algorithm of public keys with a secret",
      { ...jwt, secret, algorithms: ["HS256", "RS256"] },
      "algorithms[1]: RS256 is for public keys; with secret it is HS256, HS384 or HS512",
    ],
    [
      "a secret that could be guessed",
      { ...jwt, secret: secret.slice(1) },
      "secret: must be at least 32 bytes long, or it could be guessed from a token",
    ],
    [
      "a secret too short for the algorithm",
      { ...jwt, secret, algorithms: ["HS256", "HS512"] },
      "secret: must be at least 64 bytes long, or it could be guessed from a token",
    ],
    [
      "a public key as the secret",
      { ...jwt, secret: `-----BEGIN PUBLIC KEY-----\n${secret}` },
      "secret: is a key, not a shared secret; name the issuer's public keys in jwksUri",
    ],
    [
      "a JWK as the secret",
      { ...jwt, secret: `{"kty":"oct","k":"${secret}"}` },
      "secret: is a key, not a shared secret; name the issuer's public keys in jwksUri",
    ],
    ["a name with spaces", { ...jwt, issuer: "a b", secret }, "issuer: must not hold spaces"],
  ])("jwt: %s is refused", async (_what, options, refusal) => {
    expect(await refusalOf("jwt", options)).toBe(refusal);
  });

  const asked = { clientId: "gate", clientSecret: "s3cret" };
  test.each<RefusedRow>([
    [
      "a secret",
      { ...jwt, secret },
      "secret: unknown key; known are issuer, audience, algorithms, jwksUri, introspection, claims, roles, organization, role, scopes",
    ],
    [
      "an issuer that is no address, with keys elsewhere",
      { ...jwt, issuer: "accounts", jwksUri: "https://id.example.com/keys" },
      "issuer: is not a URL",
    ],
    [
      "public keys beside introspection",
      { ...jwt, jwksUri: "https://id.example.com/keys", introspection: asked },
      "jwksUri: stands beside introspection, which asks the server instead",
    ],
    [
      "algorithms beside introspection",
      { ...jwt, algorithms: ["RS256"], introspection: asked },
      "algorithms: stands beside introspection, which asks the server instead",
    ],
    [
      "introspection over plain http",
      { ...jwt, introspection: { ...asked, url: "http://id.example.com/i" } },
      `introspection.url: ${inClear}`,
    ],
    [
      "introspection with an issuer that is no address",
      { ...jwt, issuer: "accounts", introspection: asked },
      "issuer: is not a URL",
    ],
    [
      "introspection without a client",
      { ...jwt, introspection: { clientSecret: "x" } },
      "introspection.clientId: is missing (expected a string)",
    ],
    [
      "a misspelt key of introspection",
      { ...jwt, introspection: { ...asked, clientsecret: "x" } },
      "introspection.clientsecret: unknown key; did you mean clientSecret?",
    ],
  ])("oauth: %s is refused", async (_what, options, refusal) => {
    expect(await refusalOf("oauth", options)).toBe(refusal);
  });
});
