import { createSecretKey, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { OidcProvider } from "../fixtures/start-oidc-provider.ts";
import { startSupabaseAuth } from "../fixtures/supabase-auth.ts";
import type { SupabaseAuth } from "../fixtures/supabase-auth.ts";
import { bearer, faults, nothing } from "./sign-in/credentials.ts";
import { doorwayNames, tryDoorway } from "./sign-in/doorways.ts";
import type { Outcome, Shown } from "./sign-in/doorways.ts";
import { expectedOutcomes } from "./sign-in/expected-outcomes.ts";
import type { Cells } from "./sign-in/expected-outcomes.ts";
import { resource, startIssuer } from "./sign-in/issuer.ts";
import type { Issuer } from "./sign-in/issuer.ts";
import { administer, ownerOf, startWorld } from "./sign-in/world.ts";
import type { World } from "./sign-in/world.ts";
import { restClient } from "./support/rest.ts";

// Every sign-in type × every kind of endpoint, in both eras × every state of a credential. Refusals are asked first.

type Table = Record<string, Record<string, Outcome>>;

const worlds: World[] = [];
const inWorld = async (auth: unknown, more: object = {}): Promise<World> => {
  const world = await startWorld(auth, more);
  worlds.push(world);
  return world;
};

const password = "correct horse battery";
const mapped = {
  claims: { role: "role" },
  roles: { writers: "editor", readers: "viewer", owners: "admin" },
};

/** Tokens of programs have no `sub` where the server says what they are (RFC 7662 §2.2). */
const machines = { ...mapped, claims: { ...mapped.claims, user: "client_id" } };

let issuer: Issuer;
let provider: OidcProvider;
let supabase: SupabaseAuth;
const secret = "a secret that is shared with the issuer";

beforeAll(async () => {
  issuer = await startIssuer();
  provider = issuer.provider;
  supabase = await startSupabaseAuth();
});
afterAll(async () => {
  for (const world of worlds) await world.stop();
  await provider.stop();
  await supabase.close();
});

/** What comes of every cell, and of what is wrong whatever the type; and what is to come of it. */
async function outcomesOf(world: World, cells: Cells): Promise<{ found: Table; expected: Table }> {
  const all: Cells = {
    nothing: [nothing, "nobody"],
    ...Object.fromEntries(
      Object.entries(faults).map(([name, shown]) => [name, [shown, "rejected"] as const]),
    ),
    ...cells,
  };
  const found: Table = {};
  const expected: Table = {};
  for (const [name, [shown, standing]] of Object.entries(all)) {
    const row: Record<string, Outcome> = {};
    for (const doorway of doorwayNames) {
      row[doorway] = await tryDoorway(world.gateway.url, doorway, shown);
    }
    found[name] = row;
    expected[name] = expectedOutcomes(standing);
  }
  return { found, expected };
}

const tokenOf = async (client: string, scope = "mcp", of?: string): Promise<Shown> =>
  bearer(await provider.token(client, { scope, ...(of !== undefined && { resource: of }) }));

describe("type local", () => {
  test("lets in who shows a token of the gateway's, for as long as it is good", async () => {
    const world = await inWorld({ type: "local" });
    const owner = await ownerOf(world);
    await administer(world, ["org", "add", "acme"]);
    const mint = async (
      role: string,
      more: object = {},
    ): Promise<{ token: string; id: string }> => {
      const user = `${role}-${randomUUID().slice(0, 8)}`;
      await administer(world, ["user", "add", user]);
      await administer(world, ["member", "set", user, "acme", role]);
      const { body } = await owner("POST", "/api/v1/admin/tokens", {
        name: "t",
        user,
        organization: "acme",
        ...more,
      });
      return { token: body.token, id: body.details.id };
    };
    const short = await mint("editor", { expiresInSeconds: 1 });
    const revoked = await mint("editor");
    await owner("DELETE", `/api/v1/admin/tokens/${revoked.id}`);
    const rotated = await mint("editor");
    await owner("POST", `/api/v1/admin/tokens/${rotated.id}/rotate`);
    const shown = bearer(short.token);
    while ((await tryDoorway(world.gateway.url, "GET /auth/status", shown)) === "200");
    const table = await outcomesOf(world, {
      expired: [shown, "rejected"],
      revoked: [bearer(revoked.token), "rejected"],
      replaced: [bearer(rotated.token), "rejected"],
      viewer: [bearer((await mint("viewer")).token), "viewer"],
      "limited to a role": [
        bearer((await mint("admin", { role: "viewer" })).token),
        "limited to viewer",
      ],
      editor: [bearer((await mint("editor")).token), "editor"],
    });
    expect(table.found).toStrictEqual(table.expected);
  });
});

describe("type token", () => {
  const tokens = [
    { name: "reader", token: "a-static-token-that-reads", role: "viewer" },
    { name: "writer", token: "a-static-token-that-writes", role: "editor" },
    { name: "owner", token: "a-static-token-for-all-else" },
    {
      name: "lost",
      token: "a-token-of-an-organisation-that-is-not",
      role: "editor",
      organization: "gone",
    },
  ];

  test("lets in who shows one of the configuration's tokens", async () => {
    const world = await inWorld({ type: "token", options: { tokens } });
    const table = await outcomesOf(world, {
      "of an organisation that is not there": [bearer(tokens[3]?.token ?? ""), "rejected"],
      viewer: [bearer(tokens[0]?.token ?? ""), "viewer"],
      editor: [bearer(tokens[1]?.token ?? ""), "editor"],
      admin: [bearer(tokens[2]?.token ?? ""), "admin"],
    });
    expect(table.found).toStrictEqual(table.expected);
  });
});

describe("type simple", () => {
  test("lets in the gateway's own users while their sessions last", async () => {
    const world = await inWorld({ type: "simple" });
    const rest = restClient(world.gateway.url, undefined);
    const signIn = async (email: string): Promise<string> => {
      const { body, text } = await rest("POST", "/auth/login", { email, password });
      if (typeof body?.access_token !== "string") throw new Error(text);
      return body.access_token;
    };
    await administer(world, ["org", "add", "acme"]);
    for (const role of ["viewer", "editor"]) {
      const user = `${role}@example.com`;
      await administer(world, ["user", "add", user]);
      await administer(world, ["member", "set", user, "acme", role]);
      await administer(world, ["user", "passwd", user], `${password}\n`);
    }
    const member = ["--user", "editor@example.com", "--organization", "acme"];
    const personal = await administer(world, ["token", "create", "--name", "t", ...member]);
    const signedOut = await signIn("editor@example.com");
    await restClient(world.gateway.url, signedOut)("POST", "/auth/logout");
    const table = await outcomesOf(world, {
      "a session that was ended": [bearer(signedOut), "rejected"],
      "a token of type local, which is off": [bearer(personal), "rejected"],
      viewer: [bearer(await signIn("viewer@example.com")), "viewer"],
      editor: [bearer(await signIn("editor@example.com")), "editor"],
    });
    expect(table.found).toStrictEqual(table.expected);
    const before = await signIn("editor@example.com");
    await administer(world, ["user", "disable", "editor@example.com"]);
    const after = await outcomesOf(world, { "of a disabled user": [bearer(before), "rejected"] });
    expect(after.found).toStrictEqual(after.expected);
  });

  test("lets in who signs in with a Supabase-compatible server (a stand-in)", async () => {
    const world = await inWorld({
      type: "simple",
      options: { url: supabase.url, anonKey: supabase.anonKey, ...supabaseMapping },
    });
    const rest = restClient(world.gateway.url, undefined);
    supabase.addUser({ ...userWith("writers"), email: "ada@example.com" });
    supabase.addUser({ ...userWith("guests"), email: "guest@example.com" });
    const credentials = { email: "ada@example.com", password };
    const { body, status } = await rest("POST", "/auth/login", credentials);
    expect({ status, body }).toMatchObject({
      status: 200,
      body: {
        token_type: "bearer",
        refresh_token: expect.any(String),
        message: expect.any(String),
      },
    });
    const guest = await rest("POST", "/auth/login", { email: "guest@example.com", password });
    expect({ status: guest.status, code: guest.body.error.code }).toStrictEqual({
      status: 403,
      code: "forbidden",
    });
    const table = await outcomesOf(world, await supabaseCells(body.access_token));
    expect(table.found).toStrictEqual(table.expected);
  });
});

const supabaseMapping = { ...mapped, claims: { role: ["app_metadata", "role"] } };
const userWith = (role: string) => ({
  email: `${role}-${randomUUID().slice(0, 4)}@example.com`,
  password,
  other: { app_metadata: { provider: "email", role } },
});

async function supabaseCells(good: string): Promise<Cells> {
  const sessionOf = (role: string) => supabase.signIn(supabase.addUser(userWith(role)));
  const ended = sessionOf("writers");
  supabase.endSession(ended.sessionId);
  const banned = supabase.signIn(supabase.addUser({ ...userWith("writers"), isBanned: true }));
  return {
    "of a session that is over": [bearer(ended.accessToken), "rejected"],
    "of a banned user": [bearer(banned.accessToken), "rejected"],
    "without a mapped role": [bearer(sessionOf("guests").accessToken), "no role"],
    viewer: [bearer(sessionOf("readers").accessToken), "viewer"],
    editor: [bearer(good), "editor"],
    admin: [bearer(sessionOf("owners").accessToken), "admin"],
  };
}

describe("type bearer", () => {
  test("lets in whose token a Supabase-compatible server (a stand-in) confirms", async () => {
    const world = await inWorld({
      type: "bearer",
      options: { url: supabase.url, anonKey: supabase.anonKey, ...supabaseMapping },
    });
    const session = supabase.signIn(supabase.addUser(userWith("writers")));
    const table = await outcomesOf(world, await supabaseCells(session.accessToken));
    expect(table.found).toStrictEqual(table.expected);
  });

  test("lets in whose token a real authorization server calls active, and nobody while it is down", async () => {
    const { provider: introspected } = await startIssuer();
    try {
      const world = await inWorld({
        type: "bearer",
        options: {
          introspectionUrl: `${introspected.issuer}/token/introspection`,
          clientId: "writer",
          clientSecret: "writer-secret",
          audience: "urn:opaque",
          ...machines,
        },
      });
      const opaque = (client: string): Promise<string> =>
        introspected.token(client, { resource: "urn:opaque", scope: "mcp" });
      const revoked = await opaque("writer");
      await introspected.post("/token/revocation", "writer", { token: revoked });
      const table = await outcomesOf(world, {
        revoked: [bearer(revoked), "rejected"],
        "for somebody else": [bearer(await introspected.token("writer", {})), "rejected"],
        editor: [bearer(await opaque("writer")), "editor"],
      });
      expect(table.found).toStrictEqual(table.expected);
      const late = await opaque("writer");
      await introspected.stop();
      expect(
        await Promise.all(
          doorwayNames.map((name) => tryDoorway(world.gateway.url, name, bearer(late))),
        ),
      ).toStrictEqual(Object.values(expectedOutcomes("unavailable")));
    } finally {
      await introspected.stop();
    }
  });
});

describe("type jwt", () => {
  test("lets in who shows a good token of a real issuer", async () => {
    const options = { issuer: provider.issuer, audience: resource, ...mapped };
    const world = await inWorld({ type: "jwt", options });
    const table = await outcomesOf(world, {
      ...(await issuer.badTokens()),
      "without a mapped role": [await tokenOf("guest"), "no role"],
      viewer: [await tokenOf("reader"), "viewer"],
      editor: [await tokenOf("writer"), "editor"],
      admin: [await tokenOf("owner"), "admin"],
    });
    expect(table.found).toStrictEqual(table.expected);
  });

  test("lets in who shows a token signed with a shared secret, and no other", async () => {
    const options = { issuer: provider.issuer, audience: resource, secret, ...mapped };
    const world = await inWorld({ type: "jwt", options });
    const key = createSecretKey(secret, "utf8");
    const other = createSecretKey(`${secret}!`, "utf8");
    const table = await outcomesOf(world, {
      "signed with another secret": [
        await issuer.forged({}, { key: other, alg: "HS256" }),
        "rejected",
      ],
      "signed with a key": [await issuer.forged(), "rejected"],
      expired: [await issuer.forged({ exp: 1 }, { key, alg: "HS256" }), "rejected"],
      editor: [await issuer.forged({}, { key, alg: "HS256" }), "editor"],
    });
    expect(table.found).toStrictEqual(table.expected);
  });
});

const oauthOptions = () => ({ issuer: provider.issuer, scopes: ["mcp"], ...mapped });

describe("type oauth", () => {
  test("lets in with what its authorization server signs", async () => {
    const world = await inWorld({
      type: "oauth",
      options: { ...oauthOptions(), audience: resource },
    });
    const table = await outcomesOf(world, {
      ...(await issuer.badTokens()),
      "without the scope": [await tokenOf("writer", "other"), "insufficient"],
      "without a mapped role": [await tokenOf("guest"), "no role"],
      editor: [await tokenOf("writer"), "editor"],
    });
    expect(table.found).toStrictEqual(table.expected);
  });

  test("lets in with what its authorization server calls active", async () => {
    const introspection = { clientId: "writer", clientSecret: "writer-secret" };
    const world = await inWorld({
      type: "oauth",
      options: { ...oauthOptions(), ...machines, audience: "urn:opaque", introspection },
    });
    const table = await outcomesOf(world, {
      "without the scope": [await tokenOf("writer", "other", "urn:opaque"), "insufficient"],
      editor: [await tokenOf("writer", "mcp", "urn:opaque"), "editor"],
    });
    expect(table.found).toStrictEqual(table.expected);
  });
});

test("a list lets in by each of its types, and by no other", async () => {
  const world = await inWorld([
    { type: "jwt", options: { issuer: provider.issuer, audience: resource, ...mapped } },
    { type: "token", options: { token: "a-static-token-beside-others" } },
    { type: "simple" },
    { type: "local" },
  ]);
  const owner = await ownerOf(world);
  await administer(world, ["org", "add", "acme"]);
  await administer(world, ["user", "add", "ada@example.com"]);
  await administer(world, ["member", "set", "ada@example.com", "acme", "editor"]);
  await administer(world, ["user", "passwd", "ada@example.com"], `${password}\n`);
  const session = await restClient(world.gateway.url, undefined)("POST", "/auth/login", {
    email: "ada@example.com",
    password,
  });
  const minted = await owner("POST", "/api/v1/admin/tokens", { name: "t" });
  const table = await outcomesOf(world, {
    ...(await issuer.badTokens()),
    jwt: [await tokenOf("writer"), "editor"],
    token: [bearer("a-static-token-beside-others"), "admin"],
    simple: [bearer(session.body.access_token), "editor"],
    local: [bearer(minted.body.token), "admin"],
  });
  expect(table.found).toStrictEqual(table.expected);
});

test("type none lets everybody in on this machine, whatever they show that is a bearer", async () => {
  const world = await inWorld({ type: "none" });
  const ask = (shown: Shown): Promise<Outcome[]> =>
    Promise.all(doorwayNames.map((name) => tryDoorway(world.gateway.url, name, shown)));
  expect(await ask(nothing)).toStrictEqual(Object.values(expectedOutcomes("admin")));
  expect(await ask(bearer("whatever"))).toStrictEqual(Object.values(expectedOutcomes("admin")));
});
