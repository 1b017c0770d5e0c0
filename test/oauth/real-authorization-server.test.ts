import { once } from "node:events";
import { createServer } from "node:http";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { beginAuthorization } from "../../src/oauth/begin-authorization.ts";
import { beginDeviceAuthorization } from "../../src/oauth/begin-device-authorization.ts";
import { chooseClient } from "../../src/oauth/choose-client.ts";
import type { WantedClient } from "../../src/oauth/choose-client.ts";
import { findSignIn } from "../../src/oauth/find-sign-in.ts";
import type {
  GrantedToken,
  OAuthClient,
  OAuthDependencies,
  SignInTarget,
} from "../../src/oauth/oauth.ts";
import { renewGrant } from "../../src/oauth/renew-grant.ts";
import { revokeGrant } from "../../src/oauth/revoke-grant.ts";
import {
  clients,
  playBrowser,
  startProtectedMcpServer,
  startSignInServer,
} from "../e2e/support/oauth-servers.ts";
import type { ProtectedMcpServer } from "../e2e/support/oauth-servers.ts";
import type { OidcProvider } from "../fixtures/start-oidc-provider.ts";
import { createDependencies, failureOf, takesToken } from "./oauth-dependencies.ts";

// Everything here is against oidc-provider and the official SDK's resource server.

const documentUrl = "https://client.example/metadata.json";
/** Where the browser comes back to; what it brings is read off its address. */
const callback = createServer((_request, response) => void response.end("You may close this page"));
let redirectUri: string;
let provider: OidcProvider;
let mcp: ProtectedMcpServer;

beforeAll(async () => {
  callback.listen(0, "127.0.0.1");
  await once(callback, "listening");
  const address = callback.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  redirectUri = `http://127.0.0.1:${address.port}/callback`;
  provider = await startSignInServer({
    people: {
      metadataDocuments: {
        [documentUrl]: {
          client_id: documentUrl,
          client_name: "By document",
          application_type: "native",
          redirect_uris: [redirectUri],
          grant_types: ["authorization_code", "refresh_token"],
          response_types: ["code"],
          token_endpoint_auth_method: "none",
        },
      },
    },
  });
  mcp = await startProtectedMcpServer(provider.issuer);
});

afterAll(async () => {
  callback.closeAllConnections();
  callback.close();
  await mcp.close();
  await provider.stop();
});

async function targetOf(deps: OAuthDependencies): Promise<SignInTarget> {
  const target = await findSignIn(mcp.url, { scope: "mcp" }, deps);
  if (!target) throw new Error("no sign-in");
  return target;
}

/** Registered on the way, unless something else is wanted. */
async function signIn(
  deps: OAuthDependencies,
  wanted: Partial<WantedClient> = {},
): Promise<GrantedToken> {
  const target = await targetOf(deps);
  const grantTypes = ["authorization_code", "refresh_token"];
  const client = await chooseClient(
    target.server,
    { redirectUri, clientName: "Tested", grantTypes, ...wanted },
    deps,
  );
  const { url, finish } = await beginAuthorization(target, client, redirectUri, deps);
  return finish(new URL((await playBrowser(url.href)).url));
}

test("a client that registers itself gets a token that the resource takes", async () => {
  const deps = createDependencies();
  const before = await provider.counts();
  const { accessToken, expiresAtMs, grant } = await signIn(deps);
  expect(await takesToken(mcp.url, accessToken)).toBe(true);
  expect(decodeJwt(accessToken)).toMatchObject({ aud: mcp.url, iss: provider.issuer, sub: "ada" });
  expect(expiresAtMs).toBeGreaterThan(deps.now() + 500_000);
  expect(grant).toMatchObject({
    type: "authorization_code",
    issuer: provider.issuer,
    resource: mcp.url,
    client: { authentication: "none", registered: true },
  });
  expect(grant.scope?.split(" ")).toContain("mcp");
  expect((await provider.counts())["registration"]).toBe((before["registration"] ?? 0) + 1);
  expect(deps.learnt).toEqual(expect.arrayContaining([accessToken, grant.refreshToken]));
});

test("registering asks for a native client with what it needs", async () => {
  const deps = createDependencies();
  await signIn(deps, { scope: "mcp offline_access" });
  const request = deps.asked.find(({ headers }) => headers["content-type"] === "application/json");
  expect(JSON.parse(request?.body ?? "")).toEqual({
    client_name: "Tested",
    application_type: "native",
    redirect_uris: [redirectUri],
    grant_types: ["authorization_code", "refresh_token"],
    response_types: ["code"],
    token_endpoint_auth_method: "none",
    scope: "mcp offline_access",
  });
});

test("a client id metadata document needs no registration", async () => {
  const deps = createDependencies();
  const before = await provider.counts();
  const given: OAuthClient = { id: documentUrl, authentication: "none" };
  const { accessToken, grant } = await signIn(deps, { given });
  expect(await takesToken(mcp.url, accessToken)).toBe(true);
  expect(grant.client.id).toBe(documentUrl);
  expect((await provider.counts())["registration"]).toBe(before["registration"]);
});

test("a client is shown to the issuer that it belongs to, and to no other", async () => {
  const deps = createDependencies();
  const { server } = await targetOf(deps);
  const client: OAuthClient = { id: clients.native, authentication: "none" };
  const wanted = { redirectUri, clientName: "Tested", grantTypes: ["authorization_code"] };
  const kept = { issuer: provider.issuer, client };
  expect(await chooseClient(server, { ...wanted, kept }, deps)).toEqual(client);
  const other = { issuer: `${provider.issuer}/`, client };
  expect((await chooseClient(server, { ...wanted, kept: other }, deps)).id).not.toBe(client.id);
});

test("a person who says no is an answer", async () => {
  const deps = createDependencies();
  const target = await targetOf(deps);
  const client: OAuthClient = { id: clients.native, authentication: "none" };
  const { url, finish } = await beginAuthorization(target, client, redirectUri, deps);
  const visit = await playBrowser(url.href, { declines: true });
  expect(await failureOf(finish(new URL(visit.url)))).toMatchObject({
    code: "auth_rejected",
    message: expect.stringContaining("access_denied"),
  });
});

test("a refresh token is changed for a new one, once; another use of it is refused", async () => {
  const deps = createDependencies();
  const first = await signIn(deps);
  const second = await renewGrant(first.grant, deps);
  expect(second.accessToken).not.toBe(first.accessToken);
  expect(second.grant.refreshToken).not.toBe(first.grant.refreshToken);
  expect(second.grant).toMatchObject({ type: "authorization_code", scope: first.grant.scope });
  expect(await takesToken(mcp.url, second.accessToken)).toBe(true);
  expect(decodeJwt(second.accessToken)).toMatchObject({ aud: mcp.url });
  expect(await failureOf(renewGrant(first.grant, deps))).toMatchObject({
    code: "auth_rejected",
    message: expect.stringContaining("invalid_grant"),
  });
});

test("a grant without a refresh token is not renewed", async () => {
  const { grant } = await signIn(createDependencies());
  const deps = createDependencies();
  const failure = await failureOf(renewGrant({ ...grant, refreshToken: undefined }, deps));
  expect(failure).toMatchObject({ code: "auth_rejected" });
  expect(deps.asked).toEqual([]);
});

test("what is revoked renews no more", async () => {
  const deps = createDependencies();
  const { grant, accessToken } = await signIn(deps);
  // A JWT is good until it expires, whoever takes it back.
  expect(await revokeGrant(grant, accessToken, deps)).toBe("refresh token");
  expect(await failureOf(renewGrant(grant, deps))).toMatchObject({ code: "auth_rejected" });
});

test("a device signs in while the person is at another one", async () => {
  const waits: number[] = [];
  const deps = createDependencies();
  const target = await targetOf(deps);
  const client: OAuthClient = { id: clients.native, authentication: "none" };
  const begun = await beginDeviceAuthorization(target, client, {
    ...deps,
    async wait(ms) {
      waits.push(ms);
      if (waits.length === 2) {
        await playBrowser(begun.verificationUri, { userCode: begun.userCode });
      }
    },
  });
  expect(begun.userCode).toMatch(/^[A-Z-]+$/u);
  expect(begun.verificationUri).toMatch(/^http:\/\/127\.0\.0\.1:/u);
  const { accessToken, grant } = await begun.finish();
  expect(await takesToken(mcp.url, accessToken)).toBe(true);
  expect(grant.type).toBe("device_code");
  expect(waits).toEqual([5000, 5000]);
  expect((await renewGrant(grant, deps)).accessToken).not.toBe(accessToken);
});

test("a clock that is an hour off hinders no sign-in", async () => {
  const ahead = createDependencies({ nowMs: Date.now() + 3_600_000 });
  expect(await takesToken(mcp.url, (await signIn(ahead)).accessToken)).toBe(true);
});
