import { generateKeyPairSync } from "node:crypto";
import { describe, expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { getClientCredentials } from "../../src/oauth/get-client-credentials.ts";
import type { OAuthClient } from "../../src/oauth/oauth.ts";
import { renewGrant } from "../../src/oauth/renew-grant.ts";
import { client, good, saying, target } from "./example-server.ts";
import type { Said } from "./example-server.ts";
import { createDependencies, failureOf } from "./oauth-dependencies.ts";

const tokenOf = (json: object, deps = createDependencies({ ask: saying({ json }) })) =>
  getClientCredentials(target, client, deps);

test.each([
  ["60", 60],
  [1.5, 1.5],
  [1e300, 315_360_000],
  [0, undefined],
  [-1, undefined],
  ["", undefined],
  ["soon", undefined],
  [null, undefined],
  [{}, undefined],
  [[60], undefined],
  [true, undefined],
])("expires_in %j is %j seconds", async (value, seconds) => {
  const deps = createDependencies({
    nowMs: 0,
    ask: saying({ json: { ...good, expires_in: value } }),
  });
  const { expiresAtMs } = await tokenOf({}, deps);
  expect(expiresAtMs).toBe(seconds === undefined ? undefined : seconds * 1000);
});

test.each([
  [{}],
  [{ ...good, access_token: "" }],
  [{ ...good, access_token: 7 }],
  [{ ...good, access_token: ["token"] }],
  [{ ...good, access_token: "a b" }],
  [{ ...good, access_token: "a\nb" }],
  [{ ...good, access_token: "a\u001b[31m" }],
  [{ ...good, access_token: "tökén" }],
  [{ ...good, token_type: undefined }],
  [{ ...good, token_type: "mac" }],
  [{ ...good, refresh_token: 7 }],
  [{ ...good, refresh_token: "a\r\nb" }],
  [{ ...good, error: "invalid_request" }],
])("%j is no token", async (json) => {
  expect(await failureOf(tokenOf(json))).toMatchObject({ code: "auth_rejected" });
});

test("what is granted counts, else what was asked for; refresh tokens of programs are not kept", async () => {
  expect((await tokenOf(good)).grant.scope).toBe("a b");
  const less = await tokenOf({ ...good, scope: "a", refresh_token: "refresh" });
  expect(less.grant).toMatchObject({ scope: "a", refreshToken: undefined });
});

test("an ID token is nobody's concern, however old", async () => {
  expect((await tokenOf({ ...good, id_token: "no.jwt.at-all" })).accessToken).toBe("token");
});

test("a refresh token stays where no new one comes", async () => {
  const { grant } = await tokenOf(good);
  const kept = { ...grant, type: "authorization_code", refreshToken: "old" } as const;
  const deps = createDependencies({ ask: saying({ json: good }) });
  expect((await renewGrant(kept, deps)).grant.refreshToken).toBe("old");
  const form = new URLSearchParams(deps.asked[0]?.body);
  expect(Object.fromEntries(form)).toEqual({
    grant_type: "refresh_token",
    refresh_token: "old",
    client_id: "known",
    resource: target.resource,
  });
  const other = createDependencies({ ask: saying({ json: { ...good, refresh_token: "new" } }) });
  expect((await renewGrant(kept, other)).grant.refreshToken).toBe("new");
});

test.each<[string, Said, string]>([
  ["a page for people, with 500", { status: 500, body: "<html>" }, "unreachable"],
  ["404 without a word", { status: 404 }, "auth_rejected"],
  [
    "401 and a challenge",
    { status: 401, headers: { "www-authenticate": "Basic" } },
    "auth_rejected",
  ],
  ["a redirect", { status: 302, headers: { location: "https://x" } }, "unreachable"],
  ["no content", { status: 204 }, "auth_rejected"],
  ["no HTTP status at all", { status: 0 }, "unreachable"],
  ["no JSON", { body: "{" }, "auth_rejected"],
  ["null", { body: "null" }, "auth_rejected"],
])("%s: its own kind of failure", async (_name, said, code) => {
  const failure = await failureOf(tokenOf({}, createDependencies({ ask: saying(said) })));
  expect(failure).toMatchObject({ code, message: expect.stringContaining("login.example") });
});

test("too many requests: how long to wait", async () => {
  const ask = saying({ status: 429, headers: { "retry-after": "30" } });
  expect(await failureOf(tokenOf({}, createDependencies({ ask })))).toMatchObject({
    code: "rate_limited",
    retryAfterSeconds: 30,
  });
});

test("a foreign error text is one short line", async () => {
  const json = { error: "invalid_client", error_description: `a\r\n\u001b[2J${"x".repeat(5000)}` };
  const ask = saying({ status: 400, json });
  const failure = await failureOf(tokenOf({}, createDependencies({ ask })));
  if (!(failure instanceof AppError)) throw failure;
  expect(failure.message).not.toMatch(/[\r\n]/u);
  expect(failure.message.length).toBeLessThan(300);
});

describe("a key", () => {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = String(privateKey.export({ format: "pem", type: "pkcs8" }));
  const signs: OAuthClient = { id: "signs", authentication: "private_key_jwt", keyFile: "key.pem" };
  const withKey = (text: string, ask = saying({ json: good })) =>
    getClientCredentials(target, signs, createDependencies({ ask, readKey: async () => text }));

  test("is refused by a server whose clock is behind: that is said", async () => {
    const date = new Date(Date.now() - 3_600_000).toUTCString();
    const ask = saying({ status: 401, headers: { date }, json: { error: "invalid_client" } });
    expect(await failureOf(withKey(pem, ask))).toMatchObject({
      hint: expect.stringContaining("60 minutes ahead of"),
    });
    const now = new Date().toUTCString();
    const other = saying({
      status: 401,
      headers: { date: now },
      json: { error: "invalid_client" },
    });
    expect(await failureOf(withKey(pem, other))).toMatchObject({
      hint: "Check --client-id and the key",
    });
  });

  const encrypted = String(
    privateKey.export({ format: "pem", type: "pkcs8", cipher: "aes-256-cbc", passphrase: "x" }),
  );
  const small = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey;
  test.each([
    ["nothing", ""],
    ["no key", "secret text"],
    [
      "a public key",
      String(generateKeyPairSync("ed25519").publicKey.export({ format: "pem", type: "spki" })),
    ],
    ["an encrypted key", encrypted],
    ["a weak key", String(small.export({ format: "pem", type: "pkcs8" }))],
    [
      "a key of another kind",
      String(generateKeyPairSync("x25519").privateKey.export({ format: "pem", type: "pkcs8" })),
    ],
    ["half a JWK", '{"kty":"EC","crv":"P-256","d":"secret text"}'],
    ["a JWK with a symmetric key", '{"kty":"oct","k":"c2VjcmV0IHRleHQ"}'],
    ["a key that is cut off", pem.slice(0, 80)],
  ])("that is %s is not used, and not said", async (_name, text) => {
    const failure = await failureOf(withKey(text));
    expect(failure).toMatchObject({ code: "usage", message: expect.stringContaining("key.pem") });
    expect(JSON.stringify(failure)).not.toContain("secret text");
  });
});
