import { expect, test } from "vitest";
import { whoGetsIn } from "../../../src/cli/serve/who-gets-in.ts";
import type {
  AuthConfiguration,
  IdentityMapping,
  JwtRules,
  StaticToken,
} from "../../../src/core/configuration.ts";
import type { Role } from "../../../src/core/principal.ts";

function sentence(...tokens: [role: Role, organizationId: string | null][]): string {
  const named = tokens.map(([role, organizationId], index): StaticToken => ({
    name: `n${index}`,
    token: `secret-${index}`,
    role,
    organizationId,
  }));
  return whoGetsIn(
    { auth: [{ type: "local" }, { type: "token", tokens: named }] },
    { owner: "ann", loopback: true },
  );
}

const before =
  'Who gets in: the user ann on this machine, with a token from "agent auth login", and whoever shows a token from "agent token create"; every program on this machine with';

test.each<[tokens: [role: Role, organizationId: string | null][], rest: string]>([
  [[["admin", null]], "the token of the configuration (as admin)"],
  [
    [
      ["admin", null],
      ["admin", null],
    ],
    "one of the 2 tokens of the configuration (2 as admin)",
  ],
  [[["viewer", null]], "the token of the configuration (as viewer)"],
  [[["admin", "acme"]], "the token of the configuration (as admin in acme)"],
  [
    [
      ["viewer", "acme"],
      ["admin", null],
      ["viewer", "acme"],
    ],
    "one of the 3 tokens of the configuration (2 as viewer in acme, 1 as admin)",
  ],
])("tokens %j are told with what they may, and never themselves", (tokens, rest) => {
  expect(sentence(...tokens)).toBe(`${before} ${rest}`);
});

test("many kinds of tokens are not told each", () => {
  const tokens = Array.from({ length: 9 }, (_, index): [Role, string] => ["editor", `o${index}`]);
  expect(sentence(...tokens)).toMatch(/1 as editor in o4, and 4 kinds more\)$/u);
});

const mapping: IdentityMapping = {
  claims: { user: ["sub"] },
  organizationId: "acme",
  role: "viewer",
  requiredScopes: [],
};
const mapped: IdentityMapping = {
  claims: {
    user: ["sub"],
    role: ["app_metadata", "role"],
    organization: ["https://example.com/org"],
  },
  organizationId: null,
  role: null,
  requiredScopes: ["mcp", "tools"],
};
const supabase = {
  kind: "supabase",
  url: "https://demo.supabase.co/x",
  anonKey: "hidden-key",
  cacheMs: 0,
} as const;
const introspection = {
  kind: "introspection",
  issuer: "https://id.example.com:8443",
  audience: ["gate"],
  clientId: "gate",
  clientSecret: "hidden-secret",
  cacheMs: 0,
} as const;
const rules: JwtRules = {
  kind: "jwt",
  issuer: "https://id.example.com/realms/a",
  audience: ["gate", "other\u202e"],
  algorithms: ["RS256"],
  keys: { kind: "jwks" },
};

test.each<[AuthConfiguration, string]>([
  [{ type: "none" }, "everybody on this machine, without any sign-in"],
  [
    { type: "simple", users: "own" },
    "users with a password (agent user passwd), by email address and password at POST /auth/login, as members of their organisation",
  ],
  [
    { type: "simple", users: "supabase", server: supabase, mapping },
    "whoever has a password at demo.supabase.co, by email address and password at POST /auth/login (as viewer, in acme)",
  ],
  [
    { type: "bearer", server: supabase, mapping },
    "whoever shows a token that demo.supabase.co confirms (as viewer, in acme)",
  ],
  [
    { type: "bearer", server: introspection, mapping },
    "whoever shows a token that id.example.com:8443 confirms (as viewer, in acme)",
  ],
  [
    { type: "bearer", server: { ...introspection, url: "https://ask.example.com/i?k=x" }, mapping },
    "whoever shows a token that ask.example.com confirms (as viewer, in acme)",
  ],
  [
    { type: "jwt", rules, mapping: mapped },
    'whoever shows a JWT of id.example.com for "gate" or "other\\u202e" (with the role in the claim app_metadata.role, else without any role, in the organisation in the claim https://example.com/org, with the scope "mcp" and "tools")',
  ],
  [
    {
      type: "jwt",
      rules: { ...rules, issuer: "accounts", keys: { kind: "secret", secret: "hidden-secret" } },
      mapping: { ...mapping, role: "admin", organizationId: null },
    },
    'whoever shows a JWT of "accounts" for "gate" or "other\\u202e", signed with the secret of the configuration (as admin, in no organisation)',
  ],
  [
    { type: "oauth", issuer: "https://id.example.com", check: rules, mapping },
    "whoever signs in at id.example.com (as viewer, in acme)",
  ],
])("%j is told in one sentence, without a secret", (entry, said) => {
  const told = whoGetsIn({ auth: [entry] }, { owner: "ann", loopback: true });
  expect(told).toBe(`Who gets in: ${said}`);
  expect(told).not.toContain("hidden");
});
