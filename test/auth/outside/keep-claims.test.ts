import { describe, expect, test } from "vitest";
import { claimsPrincipal } from "../../../src/auth/outside/claims-principal.ts";
import { keepClaims } from "../../../src/auth/outside/keep-claims.ts";
import type { IdentityMapping } from "../../../src/core/configuration.ts";
import { parseJson } from "../../../src/core/json.ts";
import type { Json, JsonObject } from "../../../src/core/json.ts";

const mapping: IdentityMapping = {
  claims: { user: ["id"], organization: ["app_metadata", "org"], role: ["app_metadata", "roles"] },
  organizationId: null,
  role: null,
  requiredScopes: ["gateway"],
};
const keep = (claims: JsonObject, scopes: readonly string[] = [], of = mapping) =>
  keepClaims(of)({ kind: "confirmed", claims, scopes });
const nested = (depth: number): Json => parseJson(`${"[".repeat(depth)}${"]".repeat(depth)}`);

describe("of an answer is kept", () => {
  test("what somebody is made of, and nothing else", () => {
    const { kept } = keep({
      id: "ada",
      email: "ada@example.com",
      email_verified: true,
      name: "Ada",
      phone: "1",
      app_metadata: { org: "acme", roles: ["editor", 7, { a: 1 }], provider: "email" },
      user_metadata: { anything: nested(10) },
    });
    expect(kept.claims).toEqual({
      id: "ada",
      email: "ada@example.com",
      email_verified: true,
      name: "Ada",
      app_metadata: { org: "acme", roles: ["editor", null, null] },
    });
  });

  test("enough to make the same of it", () => {
    const directory = {
      organization: (id: string) => ({ id, name: id, createdAtMs: 1, deletedAtMs: null }),
    };
    const answers: JsonObject[] = [
      { id: "ada", app_metadata: { org: "acme", roles: "admin" } },
      { id: "ada", app_metadata: { org: ["acme"], roles: ["viewer", "editor"] }, name: "Ada" },
      { id: "ada", app_metadata: { org: ["acme", 7], roles: [["admin"]] } },
      { id: 7 },
      { id: { id: "ada" } },
      { id: "ada", email: "ada@example.com", email_verified: "false", preferred_username: "a" },
      { id: "ada", app_metadata: "acme" },
      {},
    ];
    for (const claims of answers) {
      const scopes = ["openid", "gateway", "server:files"];
      const { kept } = keep(claims, scopes);
      const made = [claims, kept.claims].map((each, index) =>
        claimsPrincipal(
          {
            issuer: "i",
            claims: each,
            scopes: index === 0 ? scopes : kept.scopes,
            method: "bearer",
            tokenHash: "h",
          },
          mapping,
          directory,
        ),
      );
      expect(made[1]).toEqual(made[0]);
    }
  });

  test("the scopes that mean something, once", () => {
    const { kept } = keep({ id: "ada" }, [
      "openid",
      "gateway",
      "server:files",
      "gateway",
      "role:x",
    ]);
    expect(kept.scopes).toEqual(["gateway", "server:files"]);
  });

  test("what is at a path of odd names, and no property that every object has is written to", () => {
    const claims = parseJson('{"__proto__": {"id": "ada"}, "name": "Ada"}');
    const odd = { ...mapping, claims: { user: ["__proto__", "id"] } };
    const { kept } = keep(
      typeof claims === "object" && !Array.isArray(claims) ? (claims ?? {}) : {},
      [],
      odd,
    );
    expect(JSON.stringify(kept.claims)).toBe('{"__proto__":{"id":"ada"},"name":"Ada"}');
    expect(Object.getPrototypeOf({})).not.toHaveProperty("id");
  });
});

describe("what keeping it costs", () => {
  test("is what is kept, however much and however deep the rest is", () => {
    const { kept, weight } = keep({
      id: "ada",
      user_metadata: nested(30_000),
      name: { given: nested(30_000) },
      more: "x".repeat(60_000),
    });
    expect(kept.claims).toEqual({ id: "ada" });
    expect(weight).toBeLessThan(1000);
  });

  test("grows with texts, lists and scopes", () => {
    const small = keep({ id: "ada" }).weight;
    expect(keep({ id: "ada", name: "x".repeat(5000) }).weight).toBeGreaterThan(small + 5000);
    const roles = Array<string>(1000).fill("");
    const listed = keep({ id: "ada", app_metadata: { roles } }).weight;
    expect(listed).toBeGreaterThan(small + 1000);
    // Also for those that are not kept: a text that was cut out of another one keeps that.
    expect(keep({ id: "ada" }, ["y".repeat(5000)]).weight).toBeGreaterThan(small + 5000);
  });
});
