import { describe, expect, test } from "vitest";
import { useRefusals } from "./support/refusals.ts";
import type { RefusedRow } from "./support/refusals.ts";
import { supabaseKey } from "./support/supabase-key.ts";

const { load, problem, refusalOf } = useRefusals();

const url = "https://demo.supabase.co";
const anonKey = supabaseKey("anon");
const supabase = { url, anonKey, role: "viewer" };
const introspection = {
  introspectionUrl: "https://id.example.com/introspect",
  clientId: "gate",
  clientSecret: "s3cret-of-gate",
  audience: "onedoor",
  role: "viewer",
};
const inClear = "must begin with https://, or tokens would cross the network in the clear";

describe("simple and bearer with Supabase", () => {
  const rows: RefusedRow[] = [
    ["options that are none", "x", ": expected an object"],
    ["no key", { url }, ": needs anonKey, the project's publishable key"],
    ["no address", { anonKey }, ": needs url, the address of the Supabase project"],
    ["an empty address", { url: "", anonKey }, "url: must not be empty"],
    ["an address that is none", { ...supabase, url: "demo.supabase.co" }, "url: is not a URL"],
    ["an address with spaces", { ...supabase, url: `${url}/ x` }, "url: is not a URL"],
    ["a file", { ...supabase, url: "file:///etc/passwd" }, "url: must begin with https://"],
    [
      "a password in the address",
      { ...supabase, url: "https://a:b@demo.supabase.co" },
      "url: must not hold a user name or password",
    ],
    ["a query", { ...supabase, url: `${url}?a=b` }, "url: must not hold a query"],
    ["a fragment", { ...supabase, url: `${url}#a` }, "url: must not hold a fragment"],
    ["plain http", { ...supabase, url: "http://demo.supabase.co" }, `url: ${inClear}`],
    [
      "the address of its auth server",
      { ...supabase, url: `${url}/auth/v1/` },
      "url: is the address of the project, without /auth/v1",
    ],
    [
      "a service_role key",
      { ...supabase, anonKey: supabaseKey("service_role") },
      "anonKey: is a key with the role service_role, which may do everything in the project",
    ],
    [
      "the key of Supabase's own administrator",
      { ...supabase, anonKey: supabaseKey("supabase_admin") },
      "anonKey: is a key with the role supabase_admin, which may do everything in the project",
    ],
    [
      "a secret key",
      { ...supabase, anonKey: "sb_secret_abcdefghijklmnop" },
      "anonKey: is a secret key, which may do everything in the project",
    ],
    [
      "a key that no header carries",
      { ...supabase, anonKey: `${anonKey}\n` },
      "anonKey: holds characters that a header cannot carry, or spaces",
    ],
    [
      "a cache for too long",
      { ...supabase, cacheSeconds: 301 },
      "cacheSeconds: must be between 0 and 300",
    ],
    [
      "a cache for less than nothing",
      { ...supabase, cacheSeconds: -1 },
      "cacheSeconds: must be between 0 and 300",
    ],
    [
      "a cache in words",
      { ...supabase, cacheSeconds: "30" },
      "cacheSeconds: expected a number of seconds",
    ],
    [
      "a misspelt key",
      { ...supabase, anonkey: "x" },
      "anonkey: unknown key; did you mean anonKey?",
    ],
  ];
  const table = ["simple", "bearer"].flatMap((type) =>
    rows.map(([what, options, refusal]): [string, ...RefusedRow] => [type, what, options, refusal]),
  );

  test.each(table)("%s: %s is refused", async (type, _what, options, refusal) => {
    expect(await refusalOf(type, options)).toBe(refusal);
  });

  test("--insecure-http is for networks of one's own", async () => {
    const auth = { type: "bearer", options: { ...supabase, url: "http://kong.internal:8000" } };
    const overrides = { insecureHttp: true };
    await expect(load({ auth }, { overrides })).resolves.toBeDefined();
    const [, hint] = await problem({ auth });
    expect(hint).toBe("use https, or --insecure-http when the network is yours alone");
  });

  test("where the publishable key is, is said", async () => {
    const options = { ...supabase, anonKey: supabaseKey("service_role") };
    const [, hint] = await problem({ auth: { type: "bearer", options } });
    expect(hint).toBe("take the publishable (anon) key of the project");
  });

  test("no scopes can be asked for, since Supabase gives none", async () => {
    expect(await refusalOf("simple", { ...supabase, scopes: ["a"] })).toMatch(/^scopes: unknown/u);
    expect(await refusalOf("bearer", { ...supabase, scopes: ["a"] })).toBe(
      "scopes: belongs to introspectionUrl",
    );
  });
});

describe("bearer with introspection", () => {
  const { clientId, clientSecret, ...withoutClient } = introspection;
  test.each<RefusedRow>([
    [
      "nobody to ask",
      {},
      ": needs url and anonKey, or introspectionUrl, clientId and clientSecret",
    ],
    [
      "no options",
      undefined,
      ": is missing (it needs url and anonKey, or introspectionUrl, clientId and clientSecret)",
    ],
    ["no client", withoutClient, ": needs clientId, with which the gateway asks introspectionUrl"],
    [
      "no secret",
      { ...withoutClient, clientId },
      ": needs clientSecret, with which the gateway asks introspectionUrl",
    ],
    ["an empty secret", { ...introspection, clientSecret: "" }, "clientSecret: must not be empty"],
    [
      "Supabase beside it",
      { ...introspection, ...supabase },
      "url: stands beside introspectionUrl; write one of them",
    ],
    [
      "a key of Supabase beside it",
      { ...introspection, anonKey },
      "anonKey: stands beside introspectionUrl; write one of them",
    ],
    [
      "a client beside Supabase",
      { ...supabase, clientSecret },
      "clientSecret: belongs to introspectionUrl",
    ],
    [
      "plain http",
      { ...introspection, introspectionUrl: "http://id.example.com/i" },
      `introspectionUrl: ${inClear}`,
    ],
    [
      "no audience in the list",
      { ...introspection, audience: [] },
      "audience: must name at least one audience",
    ],
    [
      "an audience that is no text",
      { ...introspection, audience: 7 },
      "audience: expected a text or a list of texts",
    ],
    [
      "a scope of two words",
      { ...introspection, scopes: ["a b"] },
      "scopes[0]: is not a scope: one word without quotes or backslash",
    ],
    [
      "no scope in the list",
      { ...introspection, scopes: [] },
      "scopes: name at least one, or leave it out",
    ],
  ])("%s is refused", async (_what, options, refusal) => {
    expect(await refusalOf("bearer", options)).toBe(refusal);
  });
});
