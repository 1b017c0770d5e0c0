import { expect, it } from "vitest";
import { createOwnUsersAuthenticator } from "../../../src/auth/own-users-authenticator.ts";
import { createStaticTokenAuthenticator } from "../../../src/auth/static-token-authenticator.ts";
import { wayOf } from "../../../src/cli/serve/way-of.ts";
import type { IdentityMapping } from "../../../src/core/configuration.ts";

const mapping: IdentityMapping = {
  claims: { user: ["id"] },
  organizationId: null,
  role: null,
  requiredScopes: [],
};
const directory = {
  organization: () => undefined,
  findToken: () => undefined,
  roleIn: () => undefined,
  user: () => undefined,
};
const supabase = {
  kind: "supabase",
  url: "https://demo.supabase.co",
  anonKey: "public-key",
  cacheMs: 0,
} as const;

it("tells users of an issuer from the gateway's own by the issuer, and names no key", () => {
  const way = wayOf({ type: "simple", users: "supabase", server: supabase, mapping });
  expect(way).toEqual({
    type: "simple",
    description:
      "With email address and password at demo.supabase.co: agent auth login --url <url> --email <address>",
    login: "/auth/login",
    issuer: "https://demo.supabase.co/auth/v1",
  });
  const own = createOwnUsersAuthenticator({ directory, now: () => 0 }).way;
  expect(own).not.toHaveProperty("issuer");
});

it("puts no token on a command line, where it could be seen with ps", () => {
  const ways = [
    wayOf({ type: "bearer", server: supabase, mapping }),
    createStaticTokenAuthenticator([], directory).way,
  ];
  for (const { description } of ways) {
    expect(description).toMatch(/: agent auth login --url <url> < token\.txt$/u);
  }
});
