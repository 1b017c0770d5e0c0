import { expect, it } from "vitest";
import { configuredSecrets } from "../../src/core/configured-secrets.ts";
import { serverConfiguration } from "../gateway/fakes.ts";
import { httpServer } from "../upstream/support/pool.ts";

it("takes every own variable, whatever its name, and leaves what is inherited or short", () => {
  const env = {
    GH_PAT: "ghp_supersecret99",
    PATH: "/usr/local/bin",
    LC_ALL: "en_US.UTF-8",
    SystemRoot: String.raw`C:\Windows`,
    "ProgramFiles(x86)": String.raw`C:\Program Files (x86)`,
    DEBUG: "true",
  };
  expect(configuredSecrets([serverConfiguration("one", { env })])).toEqual(["ghp_supersecret99"]);
});

it("takes header values whole and by word, but no scheme alone, the longest first", () => {
  const server = httpServer("a", "https://x", { Authorization: "Bearer abcdefgh", "X-Mode": "on" });
  expect(configuredSecrets([server])).toEqual(["Bearer abcdefgh", "abcdefgh"]);
});

it("takes the static tokens of auth, each once", () => {
  const tokens = [
    { name: "a", token: "static-1", role: "admin" as const, organizationId: null },
    { name: "b", token: "static-1", role: "admin" as const, organizationId: null },
  ];
  expect(configuredSecrets([], [{ type: "local" }, { type: "token", tokens }])).toEqual([
    "static-1",
  ]);
});

it("takes what the gateway shows to auth servers, or shares with them", () => {
  const mapping = {
    claims: { user: ["sub"] },
    organizationId: null,
    role: null,
    requiredScopes: [],
  };
  const supabase = { kind: "supabase" as const, url: "https://a.example", cacheMs: 0 };
  const client = {
    kind: "introspection" as const,
    audience: [],
    clientId: "gateway-client",
    cacheMs: 0,
  };
  const rules = {
    kind: "jwt" as const,
    issuer: "https://a.example",
    audience: ["a"],
    algorithms: ["HS256"],
  };
  const found = configuredSecrets(
    [],
    [
      { type: "none" },
      { type: "simple", users: "own" },
      {
        type: "simple",
        users: "supabase",
        server: { ...supabase, anonKey: "simple-key" },
        mapping,
      },
      { type: "bearer", server: { ...supabase, anonKey: "bearer-key" }, mapping },
      { type: "bearer", server: { ...client, clientSecret: "bearer-secret" }, mapping },
      {
        type: "jwt",
        rules: { ...rules, keys: { kind: "secret", secret: "shared-secret" } },
        mapping,
      },
      { type: "jwt", rules: { ...rules, keys: { kind: "jwks" } }, mapping },
      { type: "oauth", issuer: "a", check: { ...client, clientSecret: "oauth-secret" }, mapping },
      {
        type: "oauth",
        issuer: "a",
        check: { ...rules, keys: { kind: "secret", secret: "oauth-shared" } },
        mapping,
      },
    ],
  );
  expect(found.toSorted()).toEqual([
    "bearer-key",
    "bearer-secret",
    "oauth-secret",
    "oauth-shared",
    "shared-secret",
    "simple-key",
  ]);
});
