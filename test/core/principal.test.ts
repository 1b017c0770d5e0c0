import { expect, test } from "vitest";
import { principalKey, systemPrincipal } from "../../src/core/principal.ts";
import type { Principal } from "../../src/core/principal.ts";

test("two that differ in way, organisation, id or issuer never have the same key", () => {
  const ada: Principal = {
    ...systemPrincipal,
    method: "jwt",
    organizationId: "acme",
    userId: "ada",
  };
  const all: Principal[] = [
    ada,
    { ...ada, method: "oauth" },
    { ...ada, organizationId: null },
    { ...ada, userId: "eve" },
    { ...ada, issuer: "https://one.example" },
    { ...ada, issuer: "https://two.example" },
    { ...ada, userId: 'ada","https://one.example' },
  ];
  expect(new Set(all.map(principalKey)).size).toBe(all.length);
  const same: Principal = { ...ada, role: "viewer", displayName: "Ada", tokenHash: "another" };
  expect(principalKey(same)).toBe(principalKey(ada));
});
