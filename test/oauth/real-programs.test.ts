import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeJwt } from "jose";
import { afterAll, beforeAll, expect, test } from "vitest";
import { chooseClient } from "../../src/oauth/choose-client.ts";
import { findSignIn } from "../../src/oauth/find-sign-in.ts";
import { getClientCredentials } from "../../src/oauth/get-client-credentials.ts";
import type { OAuthClient, OAuthDependencies, SignInTarget } from "../../src/oauth/oauth.ts";
import { renewGrant } from "../../src/oauth/renew-grant.ts";
import {
  clients,
  startProtectedMcpServer,
  startSignInServer,
} from "../e2e/support/oauth-servers.ts";
import type { ProtectedMcpServer } from "../e2e/support/oauth-servers.ts";
import type { OidcProvider } from "../fixtures/start-oidc-provider.ts";
import { createDependencies, failureOf, takesToken } from "./oauth-dependencies.ts";

// Client credentials, against oidc-provider and the official SDK's resource server.

const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ed = generateKeyPairSync("ed25519");
const keys = { ec, rsa, ed };
let provider: OidcProvider;
let mcp: ProtectedMcpServer;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "oauth-"));
  for (const [name, { privateKey }] of Object.entries(keys)) {
    const pem = privateKey.export({ format: "pem", type: "pkcs8" });
    await writeFile(join(folder, `${name}.pem`), pem);
    const jwk = { ...privateKey.export({ format: "jwk" }), kid: `${name}-key` };
    await writeFile(join(folder, `${name}.json`), JSON.stringify(jwk));
  }
  provider = await startSignInServer({
    clients: [
      ...Object.entries(keys).map(([name, { publicKey }]) => ({
        id: `signs-${name}`,
        metadata: {
          token_endpoint_auth_method: "private_key_jwt",
          jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), kid: `${name}-key` }] },
        },
      })),
      {
        id: "posts",
        secret: "a secret: with / what = must & be ~ encoded",
        metadata: { token_endpoint_auth_method: "client_secret_post" },
      },
      { id: "odd-name_1", secret: "a secret: with / what = must & be ~ encoded" },
    ],
  });
  mcp = await startProtectedMcpServer(provider.issuer);
});

afterAll(async () => {
  await mcp.close();
  await provider.stop();
  await rm(folder, { recursive: true });
});

async function targetOf(deps: OAuthDependencies): Promise<SignInTarget> {
  const target = await findSignIn(mcp.url, { scope: "mcp" }, deps);
  if (!target) throw new Error("no sign-in");
  return target;
}

test.each([
  ["ec", "pem", "ES256"],
  ["ec", "json", "ES256"],
  ["rsa", "pem", "RS256"],
  ["rsa", "json", "RS256"],
  ["ed", "pem", "EdDSA"],
  ["ed", "json", "EdDSA"],
])("a program shows itself by its key: %s, %s", async (name, ending, alg) => {
  const deps = createDependencies();
  const target = await targetOf(deps);
  const given: OAuthClient = {
    id: `signs-${name}`,
    authentication: "none",
    keyFile: join(folder, `${name}.${ending}`),
  };
  const wanted = { given, clientName: "Tested", grantTypes: ["client_credentials"] };
  const client = await chooseClient(target.server, wanted, deps);
  expect(client.authentication).toBe("private_key_jwt");
  const { accessToken, grant } = await getClientCredentials(target, client, deps);
  expect(await takesToken(mcp.url, accessToken)).toBe(true);
  expect(grant).toMatchObject({ type: "client_credentials", scope: "mcp" });
  expect(grant.refreshToken).toBeUndefined();
  const form = new URLSearchParams(deps.asked.at(-1)?.body);
  const [head = ""] = (form.get("client_assertion") ?? "").split(".");
  expect(JSON.parse(Buffer.from(head, "base64url").toString())).toMatchObject({ alg });
  const again = await renewGrant(grant, deps);
  expect(decodeJwt(again.accessToken)).toMatchObject({ aud: mcp.url });
});

test.each(["posts", "odd-name_1"])("a program shows itself by its secret: %s", async (id) => {
  const deps = createDependencies();
  const target = await targetOf(deps);
  const secret = "a secret: with / what = must & be ~ encoded";
  const methods = id === "posts" ? ["client_secret_post"] : ["client_secret_basic", "none"];
  const server = { ...target.server, tokenEndpointAuthMethods: methods };
  const given: OAuthClient = { id, authentication: "none", secret };
  const wanted = { given, clientName: "Tested", grantTypes: ["client_credentials"] };
  const client = await chooseClient(server, wanted, deps);
  const { accessToken } = await getClientCredentials(target, client, deps);
  expect(await takesToken(mcp.url, accessToken)).toBe(true);
  expect(deps.learnt).toContain(secret);
});

test("a wrong secret is refused, and not said", async () => {
  const deps = createDependencies();
  const target = await targetOf(deps);
  const client: OAuthClient = {
    ...clients.robot,
    authentication: "client_secret_basic",
    secret: "wrong-secret",
  };
  const failure = await failureOf(getClientCredentials(target, client, deps));
  expect(failure).toMatchObject({
    code: "auth_rejected",
    message: expect.stringMatching(
      /^127\.0\.0\.1:\d+ does not take this client id and secret \(invalid_client/u,
    ),
    hint: "Check --client-id and the secret",
  });
  expect(JSON.stringify(failure)).not.toContain("wrong-secret");
});

test("a signature of another hour is refused with the reason", async () => {
  const behind = createDependencies({ nowMs: Date.now() - 3_600_000 });
  const client: OAuthClient = {
    id: "signs-ec",
    authentication: "private_key_jwt",
    keyFile: join(folder, "ec.pem"),
  };
  const target = await targetOf(behind);
  expect(await failureOf(getClientCredentials(target, client, behind))).toMatchObject({
    code: "auth_rejected",
    hint: expect.stringContaining("60 minutes behind"),
  });
});
