import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import type { Authentication } from "../../src/auth/authenticator.ts";
import { openDirectory } from "../../src/auth/directory.ts";
import type { Directory } from "../../src/auth/directory.ts";
import { createLocalAuthenticator } from "../../src/auth/local-authenticator.ts";
import { hashToken } from "../../src/auth/minted-token-format.ts";
import type { MintedToken } from "../../src/core/identities.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Role } from "../../src/core/principal.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { aMember, anOrganization, aToken, aUser } from "./support/identities.ts";

const bearer = `od_${"a".repeat(43)}`;
const nowMs = 1_764_000_000_000;
const now = (): number => nowMs;
let directory: Directory;
let authenticate: () => Authentication | Promise<Authentication>;

beforeEach(async () => {
  directory = await openDirectory({ storage: createMemoryStorage(), now, newId: randomUUID });
  const local = createLocalAuthenticator({ directory, now });
  authenticate = () => local.authenticate({ bearer });
});

const put = (rows: object): Promise<unknown> =>
  directory.change(systemPrincipal, () => ({ ...rows, result: undefined }));

/** Ada of acme, with this role, shows this token. */
const admit = async (role: Role, token: Partial<MintedToken> = {}): Promise<Authentication> => {
  await put({
    organizations: [anOrganization("acme")],
    users: [aUser("ada")],
    members: [aMember("acme", "ada", role)],
    tokens: [aToken("t1", { hash: hashToken(bearer), ...token })],
  });
  return authenticate();
};

const roleNow = async (role: Role): Promise<unknown> => {
  await put({ members: [aMember("acme", "ada", role)] });
  return authenticate();
};

describe("a member's token", () => {
  test("says who it is, under the user's name", async () => {
    const token = { role: null, expiresAtMs: nowMs + 1 };
    expect(await admit("editor", token)).toStrictEqual({
      kind: "accepted",
      principal: {
        userId: "ada",
        displayName: "User ada",
        organizationId: "acme",
        role: "editor",
        scopes: [],
        method: "local",
        isLocalOwner: false,
        expiresAtMs: nowMs + 1,
        tokenHash: hashToken(bearer),
      },
    });
  });

  test("that never expires has no time", async () => {
    const answer = await admit("editor");
    expect(answer).toMatchObject({ kind: "accepted" });
    expect(answer).not.toHaveProperty("principal.expiresAtMs");
  });

  test.each([
    ["viewer", "viewer", "viewer"],
    ["viewer", "editor", "viewer"],
    ["viewer", "admin", "viewer"],
    ["editor", "viewer", "viewer"],
    ["editor", "admin", "editor"],
    ["admin", "viewer", "viewer"],
    ["admin", "editor", "editor"],
    ["admin", "admin", "admin"],
    ["viewer", null, "viewer"],
    ["editor", null, "editor"],
    ["admin", null, "admin"],
  ] as const)("of %s, for %s, is good for %s", async (held, role, expected) => {
    const answer = await admit(held, { role });
    expect(answer).toMatchObject({ principal: { role: expected } });
    // What the user holds is told where that is more.
    expect("principal" in answer && answer.principal.userRole).toBe(
      held === expected ? undefined : held,
    );
  });

  test("has what the member is now, from the next request on", async () => {
    expect(await admit("viewer")).toMatchObject({ principal: { role: "viewer" } });
    expect(await roleNow("admin")).toMatchObject({ principal: { role: "admin" } });
    expect(await roleNow("viewer")).toMatchObject({ principal: { role: "viewer" } });
  });

  test("carries its scopes", async () => {
    expect(await admit("admin", { scopes: ["metrics"] })).toMatchObject({
      principal: { scopes: ["metrics"] },
    });
  });

  test.each([
    { organizations: [{ ...anOrganization("acme"), deletedAtMs: 5 }] },
    { users: [{ ...aUser("ada"), deletedAtMs: 5 }] },
    { members: [{ ...aMember("acme", "ada", "admin"), deletedAtMs: 5 }] },
    { tokens: [aToken("t1", { hash: null, revokedAtMs: 5 })] },
  ])("is not known any more after %j", async (rows) => {
    expect(await admit("admin")).toMatchObject({ kind: "accepted" });
    await put(rows);
    expect(await authenticate()).toStrictEqual({
      kind: "rejected",
      reason: "The token is not known here",
    });
  });
});

test("a token of no organisation has its own role, and is the local owner's", async () => {
  // That there is a user of this name, and deleted, is another matter.
  await put({ users: [{ ...aUser("ada"), deletedAtMs: 5 }] });
  await put({
    tokens: [aToken("t1", { hash: hashToken(bearer), organizationId: null, role: "editor" })],
  });
  expect(await authenticate()).toMatchObject({
    principal: {
      userId: "ada",
      displayName: "ada",
      organizationId: null,
      role: "editor",
      isLocalOwner: true,
    },
  });
});

test("a token of no organisation without a limit is an administrator's", async () => {
  await put({
    tokens: [aToken("t1", { hash: hashToken(bearer), organizationId: null, role: null })],
  });
  expect(await authenticate()).toMatchObject({
    principal: { organizationId: null, role: "admin", isLocalOwner: true },
  });
});
