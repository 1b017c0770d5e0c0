import { expect, test } from "vitest";
import { useRefusals } from "./support/refusals.ts";
import { supabaseKey } from "./support/supabase-key.ts";

const { problem } = useRefusals();

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
const jwt = { issuer: "https://id.example.com", audience: "onedoor", role: "viewer" };

test("no message holds a secret", async () => {
  const refused: [string, object][] = [
    ["bearer", { ...supabase, anonKey: "sb_secret_very-hidden" }],
    ["bearer", { ...introspection, url, clientSecret: "very-hidden" }],
    ["jwt", { ...jwt, secret: "very-hidden" }],
    ["jwt", { ...jwt, secret: `{${"very-hidden".repeat(9)}` }],
    ["bearer", { ...supabase, url: "https://very-hidden:very-hidden@demo.supabase.co" }],
  ];
  for (const [type, options] of refused) {
    const said = await problem({ auth: { type, options } });
    expect(said.join(" ")).not.toContain("hidden");
  }
});

test("every wrong thing is counted", async () => {
  const options = {
    issuer: "x",
    audience: "a",
    jwksUri: "y",
    algorithms: ["none"],
    role: "viewer",
  };
  const [, hint] = await problem({ auth: { type: "oauth", options } });
  expect(hint).toBe("2 more problems in this file");
});

test.each(["token", "bearer", "jwt", "oauth"])("--auth %s needs it in the file", async (auth) => {
  const [message, hint] = await problem({}, { overrides: { auth } });
  expect(message).toBe(`--auth ${auth}: the configuration has none`);
  expect(hint).toContain(`add "auth": {"type": "${auth}", "options": {`);
});

test("what is wrong in the file is told before what --auth does not find", async () => {
  const auth = { type: "bearer", options: {} };
  const [message] = await problem({ auth }, { overrides: { auth: "bearer" } });
  expect(message).toContain("FILE:4: auth.options: needs url and anonKey");
});
