import { setTimeout } from "node:timers/promises";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import type { Authentication, Authenticator } from "../../../src/auth/authenticator.ts";
import { createJwtAuthenticator } from "../../../src/auth/outside/jwt-authenticator.ts";
import { keySetTimes } from "../../../src/auth/outside/key-set.ts";
import { createUndiciAsk } from "../../../src/auth/outside/undici-ask.ts";
import { startOidcProvider } from "../../fixtures/start-oidc-provider.ts";
import type { OidcProvider, OidcProviderOptions } from "../../fixtures/start-oidc-provider.ts";
import { mapping, newKey, segment, silent } from "./support/fake-issuer.ts";

const resource = "http://127.0.0.1:3050/mcp";
const asking = createUndiciAsk();
let provider: OidcProvider;
let door: Authenticator;
let aheadMs: number;

const options = (keys: readonly object[], alg: string, port = 0): OidcProviderOptions => ({
  port,
  keys,
  alg,
  resource,
  scope: "mcp server:files role:viewer",
  lifetimeSeconds: 600,
  clients: [
    {
      id: "robot",
      secret: "robot-secret",
      claims: { org: "acme", "https://one.door/role": ["staff"] },
    },
    {
      id: "eve",
      secret: "eve-secret",
      claims: { org: "other", "https://one.door/role": ["boss"] },
    },
  ],
});
const privateJwk = (alg: "RS256" | "ES256", kid: string): object => ({
  ...newKey(alg, kid).privateKey.export({ format: "jwk" }),
  kid,
  alg,
  use: "sig",
});
const show = async (bearer: string): Promise<Authentication> => door.authenticate({ bearer });

beforeAll(async () => {
  provider = await startOidcProvider(options([privateJwk("ES256", "first")], "ES256"));
});
beforeEach(() => {
  aheadMs = 0;
  door = createJwtAuthenticator({
    rules: {
      kind: "jwt",
      issuer: provider.issuer,
      audience: [resource],
      algorithms: ["RS256", "ES256"],
      keys: { kind: "jwks" },
    },
    mapping: {
      ...mapping,
      claims: { user: ["sub"], organization: ["org"], role: ["https://one.door/role"] },
      roles: new Map([
        ["staff", "editor"],
        ["boss", "admin"],
      ]),
      role: null,
    },
    directory: {
      organization: (id) =>
        id === "acme" ? { id, name: id, createdAtMs: 1, deletedAtMs: null } : undefined,
    },
    ask: asking.ask,
    logger: silent,
    now: () => Date.now() + aheadMs,
    way: { type: "oauth", description: "Through the issuer", issuer: provider.issuer },
  });
});
afterAll(async () => {
  await provider.stop();
  await asking.close();
});

test("tokens of a real issuer let in whom it names, as the mapping says", async () => {
  const bearer = await provider.token("robot", { scope: "mcp server:files role:viewer" });
  expect(segment(bearer, 0)).toMatchObject({ typ: "at+jwt", alg: "ES256", kid: "first" });
  expect(await show(bearer)).toMatchObject({
    kind: "accepted",
    principal: {
      userId: "robot",
      method: "oauth",
      organizationId: "acme",
      role: "viewer",
      userRole: "editor",
      scopes: ["server:files", "role:viewer"],
    },
  });
  expect(await show(await provider.token("eve"))).toMatchObject({
    kind: "accepted",
    principal: { userId: "eve", organizationId: null, role: null },
  });
});

test("what of it is not for the gateway does not", async () => {
  expect(await show(await provider.token("robot", { resource: "urn:opaque" }))).toMatchObject({
    kind: "not-mine",
  });
  const good = await provider.token("robot");
  aheadMs = 600_000;
  expect(await show(good)).toStrictEqual({ kind: "rejected", reason: "The token has expired" });
});

test("its keys change in the middle of a run: to a new one, by way of both, and to another kind", async () => {
  const { port } = provider;
  const restart = async (...[keys, alg]: [readonly object[], string]): Promise<void> => {
    await provider.stop();
    provider = await startOidcProvider(options(keys, alg, port));
  };
  const [second, third] = [privateJwk("ES256", "second"), privateJwk("RS256", "third")];

  const old = await provider.token("robot");
  expect(await show(old)).toMatchObject({ kind: "accepted" });
  await restart([second], "ES256");
  const renewed = await provider.token("robot");
  expect(segment(renewed, 0)).toMatchObject({ kid: "second" });
  expect(await show(renewed)).toMatchObject({ kind: "accepted" });
  // It is so new that it could be newer than the keys are, as far as the clocks tell; that is looked up once in a while.
  expect(await show(old)).toMatchObject({ kind: "unavailable" });
  aheadMs += keySetTimes.cooldownMs;
  expect(await show(old)).toMatchObject({ kind: "rejected" });

  // Both are published, and the older one still signs.
  await restart([second, third], "ES256");
  expect(await show(await provider.token("robot"))).toMatchObject({ kind: "accepted" });
  await restart([second, third], "RS256");
  // It counts whole seconds, and this token is to be newer than the keys, which were looked for `aheadMs` before.
  await setTimeout(1_001);
  const other = await provider.token("robot");
  expect(segment(other, 0)).toMatchObject({ kid: "third" });
  // It was looked for a moment ago, for the second key.
  expect(await show(other)).toMatchObject({ kind: "unavailable" });
  aheadMs += keySetTimes.cooldownMs;
  expect(await show(other)).toMatchObject({ kind: "accepted" });
  expect(await show(renewed)).toMatchObject({ kind: "accepted" });

  await provider.stop();
  expect(await show(other)).toMatchObject({ kind: "accepted" });
  aheadMs += keySetTimes.cooldownMs;
  expect(await show(old)).toMatchObject({ kind: "unavailable" });
  await restart([third], "RS256");
  aheadMs += keySetTimes.cooldownMs;
  expect(await show(renewed)).toMatchObject({ kind: "accepted" });
  expect(await show(old)).toMatchObject({ kind: "rejected" });
  expect(await show(renewed)).toMatchObject({ kind: "rejected" });
});
