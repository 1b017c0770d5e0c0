import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { openDirectory } from "../../src/auth/directory.ts";
import type { Directory } from "../../src/auth/directory.ts";
import { ownerPrincipal } from "../../src/auth/owner-principal.ts";
import { requireStanding } from "../../src/auth/standing.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Principal } from "../../src/core/principal.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { aMember, anOrganization, aToken, aUser } from "./support/identities.ts";

let nowMs: number;
let directory: Directory;

/** As the door let ada in, by her token t1. */
const ada: Principal = {
  userId: "ada",
  displayName: "User ada",
  organizationId: "acme",
  role: "admin",
  scopes: [],
  method: "local",
  isLocalOwner: false,
  tokenHash: "hash of t1",
};
const byConfiguration: Principal = {
  ...systemPrincipal,
  userId: "ci",
  method: "token",
  organizationId: "acme",
};

const put = (rows: object): Promise<unknown> =>
  directory.change(systemPrincipal, () => ({ ...rows, result: undefined }));

beforeEach(async () => {
  nowMs = 1000;
  const storage = createMemoryStorage();
  directory = await openDirectory({ storage, now: () => nowMs, newId: randomUUID });
  await put({
    organizations: [anOrganization("acme")],
    users: [aUser("ada")],
    members: [aMember("acme", "ada", "admin")],
    tokens: [aToken("t1")],
  });
});

describe("who came in by a minted token", () => {
  test("is what the member is now", async () => {
    expect(directory.renew(ada)).toStrictEqual(ada);
    await put({ members: [aMember("acme", "ada", "viewer")] });
    expect(directory.renew(ada)).toStrictEqual({ ...ada, role: "viewer" });
  });

  test.each<[string, object]>([
    [
      "the organisation is gone",
      { organizations: [{ ...anOrganization("acme"), deletedAtMs: 5 }] },
    ],
    ["the user is gone", { users: [{ ...aUser("ada"), deletedAtMs: 5 }] }],
    ["the membership is", { members: [{ ...aMember("acme", "ada", "admin"), deletedAtMs: 5 }] }],
    ["the token is taken back", { tokens: [aToken("t1", { hash: null, revokedAtMs: 5 })] }],
    ["it has another secret", { tokens: [aToken("t1", { hash: "another" })] }],
  ])("has no standing once %s", async (_what, rows) => {
    await put(rows);
    expect(directory.renew(ada)).toBeUndefined();
    expect(() => requireStanding(directory, ada)).toThrow(
      expect.objectContaining({ code: "auth_rejected" }),
    );
  });

  test("has none from the moment it expires", () => {
    const short = { ...ada, expiresAtMs: 1001 };
    expect(directory.renew(short)).toBeDefined();
    nowMs = 1001;
    expect(directory.renew(short)).toBeUndefined();
  });
});

test("a token of the configuration stands while its organisation does, and again when that is back", async () => {
  const removed = { ...anOrganization("acme"), deletedAtMs: 5 };
  expect(directory.renew(byConfiguration)).toBe(byConfiguration);
  await put({ organizations: [removed] });
  expect(directory.renew(byConfiguration)).toBeUndefined();
  await put({ organizations: [anOrganization("acme")] });
  expect(directory.renew(byConfiguration)).toBe(byConfiguration);
  expect(directory.renew({ ...byConfiguration, organizationId: "never" })).toBeUndefined();
});

test("without an organisation the configuration's stand, and the owner by the local proof while that is good", () => {
  const proof = { ...ownerPrincipal("root"), expiresAtMs: 1001 };
  const all = [{ ...byConfiguration, organizationId: null }, systemPrincipal, proof];
  expect(all.map((principal) => directory.renew(principal))).toStrictEqual(all);
  nowMs = 1001;
  expect(directory.renew(proof)).toBeUndefined();
});

test.each(["acme", null])(
  "nobody stands by a minted token that is not named, in %s",
  (organizationId) => {
    const { tokenHash: _none, ...unnamed } = ada;
    expect(directory.renew({ ...unnamed, organizationId })).toBeUndefined();
  },
);
