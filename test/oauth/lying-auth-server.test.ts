import { afterEach, beforeEach, expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { beginAuthorization } from "../../src/oauth/begin-authorization.ts";
import { chooseClient } from "../../src/oauth/choose-client.ts";
import { findSignIn } from "../../src/oauth/find-sign-in.ts";
import type { GrantedToken } from "../../src/oauth/oauth.ts";
import { renewGrant } from "../../src/oauth/renew-grant.ts";
import { revokeGrant } from "../../src/oauth/revoke-grant.ts";
import { startLyingAuthServer } from "../fixtures/lying-auth-server.ts";
import type { Lie, LyingAuthServer } from "../fixtures/lying-auth-server.ts";
import { createDependencies, failureOf } from "./oauth-dependencies.ts";
import type { TestedDependencies } from "./oauth-dependencies.ts";

const redirectUri = "http://127.0.0.1:9/callback";
let server: LyingAuthServer;

beforeEach(async () => {
  server = await startLyingAuthServer();
});

afterEach(() => server.close());

/** The whole way to a token; the browser is one request. */
async function signIn(deps: TestedDependencies = createDependencies()): Promise<GrantedToken> {
  const target = await findSignIn(server.mcpUrl, undefined, deps);
  if (!target) throw new Error("no sign-in");
  const grantTypes = ["authorization_code", "refresh_token"];
  const wanted = { redirectUri, clientName: "Tested", grantTypes };
  const client = await chooseClient(target.server, wanted, deps);
  const { url, finish } = await beginAuthorization(target, client, redirectUri, deps);
  const answer = await fetch(url, { redirect: "manual" });
  return finish(new URL(answer.headers.get("location") ?? ""));
}

async function failure(lie: Lie, deps?: TestedDependencies): Promise<AppError> {
  server.lie = lie;
  const error = await failureOf(signIn(deps));
  if (!(error instanceof AppError)) throw error;
  return error;
}

test("without a lie it gives a token", async () => {
  const deps = createDependencies({ nowMs: 1_000_000 });
  const token = await signIn(deps);
  expect(token).toMatchObject({
    expiresAtMs: 1_000_000 + 3_600_000,
    grant: {
      type: "authorization_code",
      issuer: server.issuer,
      resource: server.mcpUrl,
      scope: "mcp",
      client: { id: "registered", authentication: "none", registered: true },
    },
  });
  expect(server.forms[0]?.get("resource")).toBe(server.mcpUrl);
  expect(deps.learnt).toEqual(expect.arrayContaining([...server.given]));
});

test.each<[Lie, string, string]>([
  ["other-issuer", "auth_rejected", "another authorization server"],
  ["no-s256", "auth_rejected", "PKCE"],
  ["other-resource", "auth_rejected", "another server"],
  ["plain-endpoints", "auth_rejected", "neither https nor on this machine"],
  ["refuses-registration", "auth_rejected", "did not register this client"],
  ["foreign-redirect", "auth_rejected", "another address"],
  ["wrong-state", "auth_rejected", "state"],
  ["no-state", "auth_rejected", "state"],
  ["wrong-iss", "auth_rejected", "iss"],
  ["no-iss", "auth_rejected", "iss"],
  ["refuses", "auth_rejected", "access_denied"],
  ["refuses-token", "auth_rejected", "invalid_grant"],
  ["html", "auth_rejected", "no JSON object"],
  ["not-json", "auth_rejected", "no JSON object"],
  ["a-list", "auth_rejected", "no JSON object"],
  ["html-500", "unreachable", "500"],
  ["redirects", "unreachable", "redirects"],
  ["bad-token", "auth_rejected", "none that a request can carry"],
  ["huge-token", "auth_rejected", "none that a request can carry"],
  ["other-type", "auth_rejected", "not of the type Bearer"],
])("%s: %s", async (lie, code, words) => {
  const error = await failure(lie);
  expect(error.code).toBe(code);
  expect(error.message).toContain(words);
  expect(error.message).toContain("127.0.0.1:");
  // What is foreign in it acts on no terminal, at the end of a pipe either.
  expect(error.message).not.toMatch(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u);
  expect(error.message.length).toBeLessThan(600);
  const said = JSON.stringify({ ...error.toBody(), stack: error.stack });
  for (const secret of server.given) expect(said).not.toContain(secret);
});

test.each<Lie>(["foreign-redirect", "wrong-state", "no-state", "wrong-iss", "no-iss", "refuses"])(
  "%s: no code goes to the token endpoint",
  async (lie) => {
    await failure(lie);
    expect(server.requests).toContain("GET /authorize");
    expect(server.requests).not.toContain("POST /token");
  },
);

test.each<Lie>(["other-issuer", "no-s256", "other-resource", "plain-endpoints"])(
  "%s: nobody registers or signs in",
  async (lie) => {
    await failure(lie);
    const beyond = server.requests.filter((request) => !request.includes("/.well-known/"));
    expect(beyond).toEqual([]);
  },
);

test("silent: it is waited for until the signal says no", async () => {
  const stop = new AbortController();
  const deps = createDependencies({ signal: stop.signal });
  server.lie = "silent";
  const failing = failureOf(signIn(deps));
  while (!server.requests.includes("POST /token")) await new Promise(setImmediate);
  stop.abort(new Error("stopped by the person"));
  expect(await failing).toMatchObject({ message: "stopped by the person" });
});

test.each<[Lie, number | undefined]>([
  ["huge-lifetime", 10 * 365 * 86_400_000],
  ["no-lifetime", undefined],
])("%s: no expiry is made up of it", async (lie, expiresAtMs) => {
  server.lie = lie;
  const token = await signIn(createDependencies({ nowMs: 0 }));
  expect(token.expiresAtMs).toBe(expiresAtMs);
});

test("a wrong answer is over: the right one after it is not taken", async () => {
  const deps = createDependencies();
  const target = await findSignIn(server.mcpUrl, undefined, deps);
  if (!target) throw new Error("no sign-in");
  const client = { id: "known", authentication: "none" } as const;
  const { url, finish } = await beginAuthorization(target, client, redirectUri, deps);
  const right = new URL((await fetch(url, { redirect: "manual" })).headers.get("location") ?? "");
  await expect(finish(new URL(`${redirectUri}?code=x&state=y`))).rejects.toThrow(
    "does not belong to this sign-in",
  );
  await expect(finish(right)).rejects.toThrow("twice");
});

test.each([
  ["iss", "only once"],
  ["state", "only once"],
  ["error", "only once"],
  ["code", "does not hold one code"],
])("an answer that says %s twice is none", async (name, words) => {
  const deps = createDependencies();
  const target = await findSignIn(server.mcpUrl, undefined, deps);
  if (!target) throw new Error("no sign-in");
  const client = { id: "known", authentication: "none" } as const;
  const { url, finish } = await beginAuthorization(target, client, redirectUri, deps);
  const answer = new URL((await fetch(url, { redirect: "manual" })).headers.get("location") ?? "");
  for (const value of ["one", "two"].slice(answer.searchParams.has(name) ? 1 : 0)) {
    answer.searchParams.append(name, value);
  }
  await expect(finish(answer)).rejects.toThrow(words);
  expect(server.forms).toEqual([]);
});

test("what other parameters an answer has is nobody's concern", async () => {
  const deps = createDependencies();
  const target = await findSignIn(server.mcpUrl, undefined, deps);
  if (!target) throw new Error("no sign-in");
  const client = { id: "known", authentication: "none" } as const;
  const { url, finish } = await beginAuthorization(target, client, redirectUri, deps);
  const answer = new URL((await fetch(url, { redirect: "manual" })).headers.get("location") ?? "");
  answer.searchParams.append("id_token", "x");
  answer.searchParams.append("session_state", "y");
  expect((await finish(answer)).grant.refreshToken).toMatch(/^refresh-/u);
});

test.each<[Lie, string]>([
  ["refuses-token", "auth_rejected"],
  ["html-500", "unreachable"],
  ["redirects", "unreachable"],
  ["bad-token", "auth_rejected"],
])("%s at a refresh: %s", async (lie, code) => {
  const { grant } = await signIn();
  server.lie = lie;
  expect(await failureOf(renewGrant(grant, createDependencies()))).toMatchObject({ code });
});

test("a server that is gone is told from one that takes nothing back", async () => {
  const { grant, accessToken } = await signIn();
  const deps = createDependencies();
  const nowhere = { ...grant, revocationEndpoint: undefined };
  expect(await revokeGrant(nowhere, accessToken, deps)).toBe("kept");
  const refused = { ...grant, revocationEndpoint: `${server.issuer}/nothing` };
  expect(await revokeGrant(refused, accessToken, deps)).toBe("kept");
  await server.close();
  expect(await revokeGrant(grant, accessToken, deps)).toBe("unreachable");
  expect(deps.learnt).toContain(accessToken);
});
