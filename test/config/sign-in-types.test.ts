import { describe, expect, test } from "vitest";
import { useConfigurationFolder } from "./support/configuration-folder.ts";
import { supabaseKey } from "./support/supabase-key.ts";

const { load } = useConfigurationFolder();

async function authOf(auth: unknown) {
  const doubts: string[] = [];
  const { auth: read } = await load({ auth }, { onDoubt: (doubt) => doubts.push(doubt) });
  return { read, doubts: doubts.map((doubt) => doubt.replace(/^.*?mcp\.json:/u, "")) };
}

const url = "https://demo.supabase.co";
const anonKey = supabaseKey("anon");
const nobody = { organizationId: null, role: null, requiredScopes: [] };
const jwt = { issuer: "https://id.example.com/", audience: "onedoor", role: "viewer" };
const publicAlgorithms = ["RS256", "PS256", "ES256", "EdDSA", "Ed25519"];

describe("simple", () => {
  test.each([[{ type: "simple" }], [{ type: "simple", options: {} }]])(
    "%j is for the gateway's own users",
    async (auth) => {
      expect(await authOf(auth)).toEqual({ read: [{ type: "simple", users: "own" }], doubts: [] });
    },
  );

  test("asks a Supabase project, by its address without a slash", async () => {
    const options = { url: `${url}/`, anonKey, role: "editor", organization: "acme" };
    expect(await authOf({ type: "simple", options })).toEqual({
      read: [
        {
          type: "simple",
          users: "supabase",
          server: { kind: "supabase", url, anonKey, cacheMs: 30_000 },
          mapping: {
            ...nobody,
            claims: { user: ["id"] },
            role: "editor",
            organizationId: "acme",
          },
        },
      ],
      doubts: [],
    });
  });
});

describe("bearer", () => {
  test("asks a Supabase project", async () => {
    const options = {
      url,
      anonKey: "sb_publishable_abcdefghijklmnop",
      cacheSeconds: 0.5,
      claims: { role: ["app_metadata", "role"], organization: ["app_metadata", "org"] },
      roles: { staff: "editor", boss: "admin" },
    };
    const { read, doubts } = await authOf({ type: "bearer", options });
    expect(read).toEqual([
      {
        type: "bearer",
        server: { kind: "supabase", url, anonKey: options.anonKey, cacheMs: 500 },
        mapping: {
          ...nobody,
          claims: {
            user: ["id"],
            role: ["app_metadata", "role"],
            organization: ["app_metadata", "org"],
          },
          roles: new Map([
            ["staff", "editor"],
            ["boss", "admin"],
          ]),
        },
      },
    ]);
    expect(doubts).toEqual([]);
  });

  test("asks an introspection endpoint", async () => {
    const options = {
      introspectionUrl: "https://id.example.com/introspect?tenant=a",
      clientId: "gate",
      clientSecret: "s3cret",
      issuer: "https://id.example.com",
      audience: ["onedoor", "onedoor", "other"],
      cacheSeconds: 0,
      role: "viewer",
      scopes: ["mcp", "mcp"],
    };
    const { read, doubts } = await authOf({ type: "bearer", options });
    expect(read).toEqual([
      {
        type: "bearer",
        server: {
          kind: "introspection",
          url: options.introspectionUrl,
          issuer: options.issuer,
          audience: ["onedoor", "other"],
          clientId: "gate",
          clientSecret: "s3cret",
          cacheMs: 0,
        },
        mapping: {
          ...nobody,
          claims: { user: ["sub"] },
          role: "viewer",
          requiredScopes: ["mcp"],
        },
      },
    ]);
    expect(doubts).toEqual([]);
  });
});

describe("jwt", () => {
  test("finds the keys by the issuer's metadata, and keeps the issuer to the letter", async () => {
    const { read, doubts } = await authOf({ type: "jwt", options: jwt });
    expect(read).toEqual([
      {
        type: "jwt",
        rules: {
          kind: "jwt",
          issuer: "https://id.example.com/",
          audience: ["onedoor"],
          algorithms: publicAlgorithms,
          keys: { kind: "jwks" },
        },
        mapping: { ...nobody, claims: { user: ["sub"] }, role: "viewer" },
      },
    ]);
    expect(doubts).toEqual([]);
  });

  test.each<[string, object, object]>([
    [
      "keys at an address; then an issuer may be a name",
      { issuer: "accounts", jwksUri: "https://id.example.com/keys?v=2", algorithms: ["ES384"] },
      {
        issuer: "accounts",
        algorithms: ["ES384"],
        keys: { kind: "jwks", url: "https://id.example.com/keys?v=2" },
      },
    ],
    [
      "a shared secret",
      { issuer: "http://auth.internal", secret: "x".repeat(32) },
      {
        issuer: "http://auth.internal",
        algorithms: ["HS256"],
        keys: { kind: "secret", secret: "x".repeat(32) },
      },
    ],
    [
      "a shared secret for longer hashes",
      { secret: "x".repeat(64), algorithms: ["HS512", "HS384", "HS512"] },
      { algorithms: ["HS512", "HS384"], keys: { kind: "secret", secret: "x".repeat(64) } },
    ],
    [
      "loopback over http",
      { issuer: "http://127.0.0.1:8080/realms/a" },
      { issuer: "http://127.0.0.1:8080/realms/a", keys: { kind: "jwks" } },
    ],
  ])("%s", async (_what, options, rules) => {
    const { read } = await authOf({ type: "jwt", options: { ...jwt, ...options } });
    expect(read).toMatchObject([{ type: "jwt", rules }]);
  });

  test("claims are names as they are, or paths", async () => {
    const claims = {
      user: "oid",
      name: ["profile", "given.name"],
      role: "https://example.com/roles",
      organization: "urn:zitadel:iam:org:id",
    };
    const { read, doubts } = await authOf({ type: "jwt", options: { ...jwt, claims } });
    expect(read).toMatchObject([
      {
        mapping: {
          claims: {
            user: ["oid"],
            name: ["profile", "given.name"],
            role: ["https://example.com/roles"],
            organization: ["urn:zitadel:iam:org:id"],
          },
        },
      },
    ]);
    expect(doubts).toEqual([]);
  });

  test("a user may choose what it is called, and nothing more", async () => {
    const claims = { name: ["user_metadata", "nickname"] };
    await expect(authOf({ type: "jwt", options: { ...jwt, claims } })).resolves.toBeDefined();
  });
});

describe("oauth", () => {
  test("checks JWTs of the server that clients are told of", async () => {
    const { read, doubts } = await authOf({ type: "oauth", options: jwt });
    expect(read).toEqual([
      {
        type: "oauth",
        issuer: "https://id.example.com/",
        check: {
          kind: "jwt",
          issuer: "https://id.example.com/",
          audience: ["onedoor"],
          algorithms: publicAlgorithms,
          keys: { kind: "jwks" },
        },
        mapping: { ...nobody, claims: { user: ["sub"] }, role: "viewer" },
      },
    ]);
    expect(doubts).toEqual([]);
  });

  test("or asks it about each token", async () => {
    const introspection = { clientId: "gate", clientSecret: "s3cret", cacheSeconds: 5 };
    const { read } = await authOf({ type: "oauth", options: { ...jwt, introspection } });
    expect(read).toMatchObject([
      {
        type: "oauth",
        check: {
          kind: "introspection",
          url: undefined,
          issuer: "https://id.example.com/",
          audience: ["onedoor"],
          clientId: "gate",
          clientSecret: "s3cret",
          cacheMs: 5000,
        },
      },
    ]);
  });
});

describe("a list", () => {
  test("may hold every type but none, each once", async () => {
    const { read } = await authOf([
      { type: "local" },
      { type: "token", options: { token: "a-token-of-enough-characters" } },
      { type: "jwt", options: jwt },
      { type: "simple" },
      { type: "bearer", options: { url, anonKey, role: "viewer" } },
      { type: "oauth", options: jwt },
    ]);
    expect(read.map(({ type }) => type)).toEqual([
      "local",
      "token",
      "jwt",
      "simple",
      "bearer",
      "oauth",
    ]);
  });
});

describe("what is allowed, and seldom meant, is told", () => {
  test.each<[auth: object, doubt: string]>([
    [
      { type: "token", options: { token: "short" } },
      "5: auth.options.token: is shorter than 16 characters, so it could be guessed: take one of random characters: openssl rand -hex 32",
    ],
    [
      { type: "jwt", options: { issuer: "https://id.example.com", audience: "a" } },
      "4: auth.options: gives nobody a role, so whoever gets in by it may do nothing: write role, or claims.role and what its values mean in roles",
    ],
    [
      { type: "bearer", options: { url, anonKey, role: "admin" } },
      "7: auth.options.role: makes everybody whom the issuer lets in an administrator of the gateway: write organization beside it, or a smaller role",
    ],
    [
      { type: "jwt", options: { ...jwt, claims: { user: "email" } } },
      "9: auth.options.claims.user: an address may be unverified, and may be somebody else's one day: take what the issuer never gives twice, such as sub",
    ],
    [
      { type: "jwt", options: { ...jwt, claims: { role: "app_metadata.role" } } },
      '9: auth.options.claims.role: is one name with dots in it: write ["app_metadata", "role"] for a path',
    ],
    [
      {
        type: "bearer",
        options: {
          introspectionUrl: "https://id.example.com/i",
          clientId: "a",
          clientSecret: "b",
          role: "viewer",
        },
      },
      "4: auth.options: names no audience, so tokens count that the server gave out for anything else: write audience, as the tokens for this gateway have it",
    ],
  ])("%j", async (auth, doubt) => {
    expect((await authOf(auth)).doubts).toEqual([doubt]);
  });

  test("but not of a type that is not on", async () => {
    const doubts: string[] = [];
    const options = {
      overrides: { auth: "local" },
      onDoubt: (doubt: string) => doubts.push(doubt),
    };
    await load({ auth: { type: "token", options: { token: "short" } } }, options);
    expect(doubts).toEqual([]);
  });
});

describe("--auth", () => {
  const listed = [{ type: "local" }, { type: "jwt", options: jwt }];

  test.each([
    ["jwt", "jwt"],
    ["local", "local"],
    ["none", "none"],
    ["simple", "simple"],
  ])("%s takes that type alone", async (auth, type) => {
    const { auth: read } = await load({ auth: listed }, { overrides: { auth } });
    expect(read.map((entry) => entry.type)).toEqual([type]);
  });
});
