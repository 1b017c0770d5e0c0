import { describe, expect, test } from "vitest";
import { claimsPrincipal } from "../../../src/auth/outside/claims-principal.ts";
import type { ClaimsAnswer } from "../../../src/auth/outside/claims-principal.ts";
import { createOutsidePrincipals } from "../../../src/auth/outside/outside-principals.ts";
import type { IdentityMapping } from "../../../src/core/configuration.ts";
import type { Organization } from "../../../src/core/identities.ts";
import type { JsonObject } from "../../../src/core/json.ts";
import type { Principal } from "../../../src/core/principal.ts";

const organizations = new Map<string, Organization>(
  [
    { id: "acme", deletedAtMs: null },
    { id: "gone", deletedAtMs: 5 },
  ].map((each) => [each.id, { name: each.id, createdAtMs: 1, ...each }]),
);
const directory = { organization: (id: string) => organizations.get(id) };

const issuer = "https://issuer.example";
const plain: IdentityMapping = {
  claims: { user: ["sub"] },
  organizationId: null,
  role: null,
  requiredScopes: [],
};
const byClaims: IdentityMapping = {
  ...plain,
  claims: { user: ["sub"], organization: ["org"], role: ["app_metadata", "role"] },
};

const answerOf = (
  claims: JsonObject,
  mapping: IdentityMapping,
  scopes: readonly string[] = [],
): ClaimsAnswer =>
  claimsPrincipal({ issuer, claims, scopes, method: "jwt", tokenHash: "h" }, mapping, directory);

function principalOf(
  claims: JsonObject,
  mapping: IdentityMapping,
  scopes: readonly string[] = [],
): Principal {
  const answer = answerOf({ sub: "ada", ...claims }, mapping, scopes);
  if (answer.kind !== "accepted") throw new Error(answer.kind);
  return answer.principal;
}

const roleBy = (value: unknown, mapping: IdentityMapping): Principal["role"] => {
  const claims: JsonObject = JSON.parse(JSON.stringify({ app_metadata: { role: value } }));
  return principalOf({ org: "acme", ...claims }, mapping).role;
};
const letIn = (mapping: IdentityMapping) => {
  const principals = createOutsidePrincipals(mapping, directory);
  const answer = principals.accept({
    issuer,
    claims: { sub: "ada", org: "acme", app_metadata: { role: "editor" } },
    scopes: [],
    method: "jwt",
    tokenHash: "h",
  });
  if (answer.kind !== "accepted") throw new Error(answer.kind);
  return { principals, principal: answer.principal };
};

describe("who it is", () => {
  test("is what the claims say, and nothing is left of the token but its hash", () => {
    const answer = claimsPrincipal(
      {
        issuer,
        claims: {
          sub: "ada",
          email: "ada@example.org",
          org: "acme",
          app_metadata: { role: "editor" },
        },
        scopes: ["openid", "profile"],
        method: "oauth",
        expiresAtMs: 7000,
        tokenHash: "h",
      },
      byClaims,
      directory,
    );
    expect(answer).toStrictEqual({
      kind: "accepted",
      principal: {
        userId: "ada",
        displayName: "ada@example.org",
        email: "ada@example.org",
        organizationId: "acme",
        role: "editor",
        scopes: [],
        method: "oauth",
        issuer,
        isLocalOwner: false,
        mapped: true,
        expiresAtMs: 7000,
        tokenHash: "h",
      },
    });
  });

  test.each<[string, JsonObject]>([
    ["nothing", {}],
    ["a number", { sub: 7 }],
    ["null", { sub: null }],
    ["a list", { sub: ["ada"] }],
    ["an empty text", { sub: "" }],
    ["white space", { sub: "  " }],
    ["a control character", { sub: "ada\u0000" }],
    ["half a character", { sub: "ada\ud800" }],
    ["more than may be", { sub: "a".repeat(256) }],
  ])("is refused when the claim is %s", (_what, claims) => {
    expect(answerOf(claims, plain)).toStrictEqual({
      kind: "rejected",
      reason: "The token names no user (claim sub)",
    });
  });

  test("is not found on the way of what every object inherits", () => {
    const mapping = { ...plain, claims: { user: ["constructor", "name"] } };
    expect(answerOf({ sub: "ada" }, mapping).kind).toBe("rejected");
    const own: JsonObject = JSON.parse('{"__proto__": {"sub": "eve"}}');
    expect(answerOf(own, plain).kind).toBe("rejected");
  });

  test.each<[string, JsonObject, string]>([
    ["the email address first", { email: "a@b.c", name: "Ada" }, "a@b.c"],
    ["then the name", { name: " Ada \n Lovelace " }, "Ada Lovelace"],
    ["then what it prefers", { name: 7, preferred_username: "al" }, "al"],
    ["else the id", { name: "" }, "ada"],
  ])("is called by %s", (_what, claims, name) => {
    expect(principalOf(claims, plain).displayName).toBe(name);
  });

  test("is called as the mapping says, and then by nothing else but the id", () => {
    const mapping = { ...plain, claims: { user: ["sub"], name: ["nick"] } };
    expect(principalOf({ nick: "Countess", email: "a@b.c" }, mapping).displayName).toBe("Countess");
    expect(principalOf({ email: "a@b.c" }, mapping).displayName).toBe("ada");
  });

  test.each<JsonObject>([
    { email: "a@b.c", email_verified: false },
    { email: "a@b.c", email_verified: "false" },
    { email: "a b@c" },
    { email: "a@b@c" },
    { email: `${"a".repeat(255)}@b.c` },
    { email: ["a@b.c"] },
  ])("has no address by %j", (claims) => {
    expect(principalOf(claims, plain)).not.toHaveProperty("email");
  });
});

describe("where it acts", () => {
  test.each<[string, JsonObject]>([
    ["is not there", { org: "never" }],
    ["is deleted", { org: "gone" }],
    ["is not named", {}],
    ["is empty", { org: "" }],
    ["is null", { org: null }],
    ["is one of several", { org: ["acme", "gone"] }],
    ["is none of none", { org: [] }],
    ["is no text", { org: { id: "acme" } }],
    ["is inherited", { org: "__proto__" }],
  ])("is nowhere, with no role, when its organisation %s", (_what, claims) => {
    const admin = { ...claims, app_metadata: { role: "admin" } };
    expect(principalOf(admin, byClaims)).toMatchObject({ organizationId: null, role: null });
    const forAll: IdentityMapping = { ...byClaims, role: "admin", organizationId: "acme" };
    expect(principalOf(claims, forAll)).toMatchObject({ organizationId: null, role: null });
  });

  test("is the only one of a list", () => {
    expect(principalOf({ org: ["acme"] }, byClaims).organizationId).toBe("acme");
  });

  test("is the organisation of the mapping, while that is there", () => {
    const acme: IdentityMapping = { ...plain, organizationId: "acme", role: "viewer" };
    expect(principalOf({}, acme)).toMatchObject({ organizationId: "acme", role: "viewer" });
    const gone: IdentityMapping = { ...acme, organizationId: "gone", role: "admin" };
    expect(principalOf({}, gone)).toMatchObject({ organizationId: null, role: null });
  });

  test("is the gateway itself only when the mapping names no organisation at all", () => {
    const operators: IdentityMapping = { ...plain, role: "admin" };
    expect(principalOf({}, operators)).toMatchObject({ organizationId: null, role: "admin" });
  });
});

describe("what it may", () => {
  const mapped: IdentityMapping = {
    ...byClaims,
    roles: new Map([
      ["staff", "editor"],
      ["boss", "admin"],
    ]),
  };

  test.each([
    ["viewer", "viewer"],
    [["viewer", "admin", "editor"], "admin"],
    ["owner", null],
    ["Admin", null],
    [["owner", 7, null, ["admin"]], null],
    [{ admin: true }, null],
    [true, null],
  ] as const)("is by the claim %j: %s", (value, expected) => {
    expect(roleBy(value, byClaims)).toBe(expected);
  });

  test.each([
    ["staff", "editor"],
    [["staff", "boss", "guest"], "admin"],
    ["admin", null],
    ["constructor", null],
  ] as const)("is by the mapped claim %j: %s", (value, expected) => {
    expect(roleBy(value, mapped)).toBe(expected);
  });

  test("is the role of the mapping for those whose claim says nothing known", () => {
    const guests: IdentityMapping = { ...mapped, role: "viewer" };
    expect(roleBy("guest", guests)).toBe("viewer");
    expect(roleBy(undefined, guests)).toBe("viewer");
    expect(roleBy("staff", guests)).toBe("editor");
  });

  test("is nothing where neither claim nor mapping gives a role", () => {
    expect(principalOf({ role: "admin" }, plain).role).toBeNull();
  });
});

describe("scopes", () => {
  const editors: IdentityMapping = { ...plain, role: "editor" };

  test("of the issuer's limit where they mean something here", () => {
    const scopes = ["openid", "server:files", "tag:a:b", "role:boss", "server:", "metrics"];
    expect(principalOf({}, editors, scopes).scopes).toStrictEqual([
      "server:files",
      "tag:a:b",
      "metrics",
    ]);
  });

  test.each([
    [["role:viewer"], { role: "viewer", userRole: "editor" }],
    [["role:viewer", "role:editor"], { role: "editor" }],
    [["role:admin"], { role: "editor" }],
  ])("%j are the most it is used as", (scopes, expected) => {
    const { role, userRole } = principalOf({}, editors, scopes);
    expect({ role, ...(userRole === undefined ? {} : { userRole }) }).toStrictEqual(expected);
  });

  test("give no role to whoever has none", () => {
    expect(principalOf({}, plain, ["role:admin"])).toMatchObject({ role: null });
  });

  test("that are required are told all at once when one of them is missing", () => {
    const strict: IdentityMapping = { ...editors, requiredScopes: ["mcp", "tools"] };
    expect(answerOf({ sub: "ada" }, strict, ["mcp"])).toStrictEqual({
      kind: "insufficient",
      scopes: ["mcp", "tools"],
    });
    expect(principalOf({}, strict, ["tools", "mcp"]).scopes).toStrictEqual([]);
  });
});

describe("who was let in", () => {
  test("is the same one while nothing changes, and follows its organisation", () => {
    const { principals, principal } = letIn(byClaims);
    expect(principals.renew(principal)).toBe(principal);
    const acme = organizations.get("acme");
    organizations.delete("acme");
    const without = principals.renew(principal);
    expect(without).toStrictEqual({ ...principal, organizationId: null, role: null });
    if (acme !== undefined) organizations.set("acme", acme);
    expect(without && principals.renew(without)).toStrictEqual(principal);
  });

  test("is nobody to another authenticator, whose rules may be others", () => {
    const { principal } = letIn(byClaims);
    const other = letIn(plain).principals;
    expect(other.renew(principal)).toBeUndefined();
    expect(other.renew({ ...principal })).toBeUndefined();
  });
});
