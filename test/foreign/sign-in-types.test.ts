import { execFile } from "node:child_process";
import { promisify } from "node:util";
import {
  discoverOAuthProtectedResourceMetadata,
  extractWWWAuthenticateParams,
} from "@modelcontextprotocol/sdk/client/auth.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { administer, ownerOf, startWorld } from "../e2e/sign-in/world.ts";
import type { World } from "../e2e/sign-in/world.ts";
import { resource, startIssuer } from "../e2e/sign-in/issuer.ts";
import type { Issuer } from "../e2e/sign-in/issuer.ts";
import { restClient } from "../e2e/support/rest.ts";
import { startSupabaseAuth } from "../fixtures/supabase-auth.ts";
import type { SupabaseAuth } from "../fixtures/supabase-auth.ts";
import { installed, node24 } from "./support/foreign-programs.ts";

// The official inspector's CLI as a client of a gateway with each sign-in type.

const run = promisify(execFile);
const inspector = installed("@modelcontextprotocol/inspector/clients/launcher/build/index.js");
const password = "correct horse battery";
const asEditor = { role: "editor" };

let issuer: Issuer;
let supabase: SupabaseAuth;
const worlds: World[] = [];
beforeAll(async () => {
  issuer = await startIssuer();
  supabase = await startSupabaseAuth();
});
afterAll(async () => {
  for (const world of worlds) await world.stop();
  await issuer.provider.stop();
  await supabase.close();
});

/** What is written under `auth`, and where a bearer for it comes from. */
type Way = () => { auth: object; bearer: (world: World) => Promise<string | undefined> };

const supabaseOptions = () => ({ url: supabase.url, anonKey: supabase.anonKey, ...asEditor });
const signInTo = async ({ gateway }: World): Promise<string> => {
  const login = await restClient(gateway.url, undefined)("POST", "/auth/login", {
    email: "ada@example.com",
    password,
  });
  return login.body.access_token;
};
const ofIssuer = { issuer: "", audience: resource, ...asEditor };
const introspecting = { clientId: "writer", clientSecret: "writer-secret" };
const machines = { audience: "urn:opaque", claims: { user: "client_id" }, ...asEditor };
const opaque = (): Promise<string> => issuer.provider.token("writer", { resource: "urn:opaque" });

const ways: Readonly<Record<string, Way>> = {
  local: () => ({
    auth: { type: "local" },
    async bearer(world) {
      const owner = await ownerOf(world);
      return (await owner("POST", "/api/v1/admin/tokens", { name: "inspector" })).body.token;
    },
  }),
  token: () => ({
    auth: { type: "token", options: { token: "a-token-for-the-inspector" } },
    bearer: () => Promise.resolve("a-token-for-the-inspector"),
  }),
  simple: () => ({
    auth: { type: "simple" },
    async bearer(world) {
      await administer(world, ["org", "add", "acme"]);
      await administer(world, ["user", "add", "ada@example.com"]);
      await administer(world, ["member", "set", "ada@example.com", "acme", "editor"]);
      await administer(world, ["user", "passwd", "ada@example.com"], `${password}\n`);
      return signInTo(world);
    },
  }),
  "simple with Supabase (a stand-in)": () => ({
    auth: { type: "simple", options: supabaseOptions() },
    bearer(world) {
      supabase.addUser({ email: "ada@example.com", password });
      return signInTo(world);
    },
  }),
  "bearer with Supabase (a stand-in)": () => ({
    auth: { type: "bearer", options: supabaseOptions() },
    bearer: () => {
      const user = supabase.addUser({ email: "bob@example.com", password });
      return Promise.resolve(supabase.signIn(user).accessToken);
    },
  }),
  "bearer with introspection": () => ({
    auth: {
      type: "bearer",
      options: {
        introspectionUrl: `${issuer.provider.issuer}/token/introspection`,
        ...introspecting,
        ...machines,
      },
    },
    bearer: opaque,
  }),
  jwt: () => ({
    auth: { type: "jwt", options: { ...ofIssuer, issuer: issuer.provider.issuer } },
    bearer: () => issuer.provider.token("writer"),
  }),
  oauth: () => ({
    auth: { type: "oauth", options: { ...ofIssuer, issuer: issuer.provider.issuer } },
    bearer: () => issuer.provider.token("writer"),
  }),
  "oauth with introspection": () => ({
    auth: {
      type: "oauth",
      options: { issuer: issuer.provider.issuer, introspection: introspecting, ...machines },
    },
    bearer: opaque,
  }),
  none: () => ({ auth: { type: "none" }, bearer: () => Promise.resolve(undefined) }),
};

test.each(Object.entries(ways))(
  "the inspector gets in by %s, over both transports",
  async (name, way) => {
    const { auth, bearer } = way();
    const world = await startWorld(auth);
    worlds.push(world);
    const token = await bearer(world);
    const inspect = async (transport: string, shown: string | undefined): Promise<unknown> => {
      const path = transport === "http" ? "/mcp" : "/sse";
      const server = [inspector, "--cli", `${world.gateway.url}${path}`, "--transport", transport];
      const call = [
        "--method",
        "tools/call",
        "--tool-name",
        "open__write",
        "--tool-arg",
        "text=hi",
      ];
      const header = shown === undefined ? [] : ["--header", `Authorization: Bearer ${shown}`];
      const { stdout } = await run(node24, [...server, ...call, ...header], {
        env: { ...world.home.env },
        timeout: 50_000,
      });
      return JSON.parse(stdout);
    };
    const said = { content: [{ type: "text", text: 'open write: {"text":"hi"}' }] };
    expect(await inspect("http", token)).toMatchObject(said);
    expect(await inspect("sse", token)).toMatchObject(said);
    const wrong = await inspect("http", `${token}x`).then(
      () => "gets in",
      () => "is refused",
    );
    expect(wrong).toBe(name === "none" ? "gets in" : "is refused");
  },
);

test("the SDK's client finds the authorization server by what a refusal says", async () => {
  const world = await startWorld(ways["oauth"]?.().auth);
  worlds.push(world);
  const endpoint = `${world.gateway.url}/mcp`;
  const refused = await fetch(endpoint, { method: "POST" });
  const { resourceMetadataUrl } = extractWWWAuthenticateParams(refused);
  const metadata = await discoverOAuthProtectedResourceMetadata(endpoint, { resourceMetadataUrl });
  expect({ status: refused.status, metadata }).toMatchObject({
    status: 401,
    metadata: { resource: endpoint, authorization_servers: [issuer.provider.issuer] },
  });
  // Without the challenge as well, by the well-known path (RFC 9728 §3.1).
  expect(await discoverOAuthProtectedResourceMetadata(endpoint)).toStrictEqual(metadata);
});
