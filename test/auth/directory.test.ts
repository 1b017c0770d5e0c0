import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { openDirectory } from "../../src/auth/directory.ts";
import type { Directory } from "../../src/auth/directory.ts";
import type { ChangeRow } from "../../src/core/change.ts";
import { AppError } from "../../src/core/errors.ts";
import type { MintedToken } from "../../src/core/identities.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Storage } from "../../src/core/storage.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { createFailingStorage } from "./support/failing-storage.ts";
import { aMember, anOrganization, aToken, aUser, contentOf } from "./support/identities.ts";

const by = { ...systemPrincipal, userId: "root" };
const nowMs = 1_764_000_000_000;
let storage: Storage;
let directory: Directory;

const open = (from: Storage): Promise<Directory> =>
  openDirectory({ storage: from, now: () => nowMs, newId: randomUUID });

const history = (): Promise<ChangeRow[]> =>
  storage.withPrincipal(systemPrincipal, (tx) => tx.changes.list({ limit: 100 }));

/** Acme with the member ada and a token of hers. */
const fill = (into: Directory): Promise<void> =>
  into.change(by, () => ({
    organizations: [anOrganization("acme")],
    users: [aUser("ada")],
    members: [aMember("acme", "ada", "admin")],
    tokens: [aToken("t1")],
    result: undefined,
  }));

/** Whose secrets are good each time it tells of a change from now on. */
function told(from: Directory): string[] {
  const good: string[] = [];
  from.onChanged(() => {
    const ids = ["t1", "t2", "t3"].filter((id) => from.findToken(`hash of ${id}`) !== undefined);
    good.push(ids.join(" "));
  });
  return good;
}

beforeEach(async () => {
  storage = createMemoryStorage();
  directory = await open(storage);
});

describe("a directory", () => {
  test("has what is in the storage, and keeps it in the order of ids", async () => {
    await fill(directory);
    await directory.change(by, () => ({
      organizations: [anOrganization("a-b"), anOrganization("a")],
      members: [aMember("a-b", "ada", "viewer"), aMember("a", "ada", "viewer")],
      result: undefined,
    }));
    const again = await open(storage);
    expect(contentOf(again)).toStrictEqual(contentOf(directory));
    expect(again.organizations().map(({ id }) => id)).toStrictEqual(["a", "a-b", "acme"]);
    expect(again.members().map(({ organizationId }) => organizationId)).toStrictEqual([
      "a",
      "a-b",
      "acme",
    ]);
    expect(again.findToken("hash of t1")?.id).toBe("t1");
    expect(again.findToken("")).toBeUndefined();
  });

  test.each(["organizations", "users", "members"] as const)(
    "says what a user is only while none of the %s is deleted",
    async (entity) => {
      await fill(directory);
      const key = { organizationId: "acme", userId: "ada" };
      expect(directory.roleIn(key)).toBe("admin");
      expect(directory.roleIn({ ...key, userId: "bob" })).toBeUndefined();
      expect(directory.roleIn({ ...key, organizationId: "beta" })).toBeUndefined();
      const [row] = directory[entity]();
      await directory.change(by, () => ({
        [entity]: [{ ...row, deletedAtMs: 5 }],
        result: undefined,
      }));
      expect(directory.roleIn(key)).toBeUndefined();
    },
  );

  test("cannot be changed through what it gave", async () => {
    await fill(directory);
    expect(() => Object.assign(directory.user("ada") ?? {}, { name: "Eve" })).toThrow(TypeError);
  });

  test("writes a row of the history for each row, with before and after, never the hash", async () => {
    await fill(directory);
    await directory.change(by, () => ({
      users: [{ ...aUser("ada"), deletedAtMs: 5 }],
      tokens: [aToken("t1", { hash: null, revokedAtMs: 5 })],
      result: undefined,
    }));
    await directory.change(by, () => ({
      users: [aUser("ada")],
      members: [aMember("acme", "ada", "viewer")],
      result: undefined,
    }));
    const rows = (await history()).toReversed();
    expect(
      rows.map(({ entity, entityId, organizationId, action }) =>
        [entity, entityId, organizationId, action].join(" "),
      ),
    ).toStrictEqual([
      "organization acme acme created",
      "user ada  created",
      "member acme/ada acme created",
      "token t1 acme created",
      "user ada  deleted",
      "token t1 acme deleted",
      "user ada  restored",
      "member acme/ada acme changed",
    ]);
    expect(rows.at(-1)).toMatchObject({
      timeMs: nowMs,
      actor: "user",
      userId: "root",
      before: { organization: "acme", user: "ada", role: "admin", deletedAt: null },
      after: { organization: "acme", user: "ada", role: "viewer", deletedAt: null },
    });
    expect(rows[5]?.after).toStrictEqual({
      id: "t1",
      kind: "personal",
      name: "Token t1",
      user: "ada",
      organization: "acme",
      role: "admin",
      scopes: [],
      createdAt: new Date(1).toISOString(),
      expiresAt: null,
      revokedAt: new Date(5).toISOString(),
    });
    expect(JSON.stringify(rows)).not.toContain("hash of");
  });

  test("says of a token that got another secret that it did", async () => {
    await fill(directory);
    await directory.change(by, () => ({ tokens: [aToken("t1", { hash: "x" })], result: 0 }));
    expect((await history())[0]).toMatchObject({
      action: "changed",
      before: expect.not.objectContaining({ rotated: true }),
      after: { id: "t1", rotated: true },
    });
  });

  test("gives no role to a user who is disabled, and says that it is a member", async () => {
    await fill(directory);
    const key = { organizationId: "acme", userId: "ada" };
    expect([directory.isMember(key), directory.roleIn(key)]).toStrictEqual([true, "admin"]);
    const disabled = { ...aUser("ada"), disabledAtMs: 5 };
    await directory.change(by, () => ({ users: [disabled], result: 0 }));
    for (const each of [directory, await open(storage)]) {
      expect([each.isMember(key), each.roleIn(key)]).toStrictEqual([true, undefined]);
    }
    await directory.change(by, () => ({ users: [aUser("ada")], result: 0 }));
    expect(directory.roleIn(key)).toBe("admin");
    await directory.change(by, () => ({
      users: [{ ...aUser("ada"), deletedAtMs: 5 }],
      result: 0,
    }));
    expect([directory.isMember(key), directory.roleIn(key)]).toStrictEqual([false, undefined]);
  });
});

const put = (token: MintedToken) =>
  directory.change(by, () => ({ tokens: [token], result: undefined }));

describe("a session", () => {
  const first = aToken("s1", {
    kind: "session",
    role: null,
    refresh: { hash: "refresh 1", familyHash: "family", expiresAtMs: 90 },
  });
  const second = {
    ...first,
    hash: "hash of its second",
    refresh: { hash: "refresh 2", familyHash: "family", expiresAtMs: 91 },
  };
  const third = {
    ...first,
    hash: "hash of its third",
    refresh: { hash: "refresh 3", familyHash: "family", expiresAtMs: 92 },
  };
  test("is found by the family of its refresh tokens, here and after a start", async () => {
    await fill(directory);
    for (const session of [first, second, third]) await put(session);
    for (const each of [directory, await open(storage)]) {
      expect(each.findSession("family")).toStrictEqual(third);
      expect(each.findSession("refresh 3")).toBeUndefined();
      expect(each.findToken("hash of its third")).toStrictEqual(third);
      expect(each.findToken("hash of its second")).toBeUndefined();
      // What is shown in one place is good in that place alone.
      expect(each.findToken("refresh 3")).toBeUndefined();
      expect(each.findToken("family")).toBeUndefined();
      expect(each.findSession("hash of its third")).toBeUndefined();
    }
    await put({ ...third, hash: null, refresh: null, revokedAtMs: 5 });
    expect(directory.findSession("family")).toBeUndefined();
  });

  test("is in the history when it begins and when it ends, not each time it goes on", async () => {
    await fill(directory);
    const rows = (await history()).length;
    for (const session of [first, second, third]) await put(session);
    await put({ ...third, hash: null, refresh: null, revokedAtMs: 5 });
    const written = (await history()).slice(0, -rows);
    expect(written).toMatchObject([
      { action: "deleted", entity: "token", entityId: "s1" },
      { action: "created", entity: "token", entityId: "s1", after: { kind: "session" } },
    ]);
    expect(JSON.stringify(written)).not.toMatch(/hash of|refresh \d|family/);
  });

  test("that went on is not as it was when the storage failed", async () => {
    const failing = createFailingStorage(storage);
    directory = await open(failing);
    await fill(directory);
    await put(first);
    failing.failAt(1, "once");
    await expect(put(second)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(directory.findSession("family")).toStrictEqual(first);
    failing.heal();
    await put(second);
    expect(directory.findSession("family")).toStrictEqual(second);
  });
});

describe("changes that come at once", () => {
  test("run one after the other, each deciding by what the one before did", async () => {
    const add = (name: string): Promise<string> =>
      directory.change(by, () => {
        if (directory.user("ada") !== undefined) throw new AppError("usage", "taken");
        return { users: [{ ...aUser("ada"), name }], result: name };
      });
    const answers = await Promise.allSettled([add("first"), add("second"), add("third")]);
    expect(answers.map(({ status }) => status)).toStrictEqual([
      "fulfilled",
      "rejected",
      "rejected",
    ]);
    expect(directory.user("ada")?.name).toBe("first");
    expect(await history()).toHaveLength(1);
  });

  test("are not seen before the storage has them", async () => {
    let atCommit: unknown = "not asked";
    const watched: Storage = {
      ...storage,
      async withPrincipal(principal, work) {
        const result = await storage.withPrincipal(principal, work);
        atCommit = directory.user("ada");
        return result;
      },
    };
    directory = await open(watched);
    await fill(directory);
    expect(atCommit).toBeUndefined();
    expect(directory.user("ada")).toBeDefined();
  });
});

describe("a secret that is not good any more", () => {
  test("is out when the change is told of, whether it was erased or replaced", async () => {
    await fill(directory);
    await directory.change(by, () => ({ tokens: [aToken("t2"), aToken("t3")], result: 0 }));
    const good = told(directory);
    const erased = aToken("t1", { hash: null, revokedAtMs: 5 });
    await directory.change(by, () => ({
      tokens: [erased, aToken("t2", { hash: "new" }), { ...aToken("t3"), name: "renamed" }],
      result: 0,
    }));
    expect(good).toStrictEqual(["t3"]);
    expect(directory.findToken("new")?.id).toBe("t2");
    expect(directory.findToken("hash of t3")?.id).toBe("t3");
  });

  test("is told of when it turns out that the storage took it back after all", async () => {
    const failing = createFailingStorage(storage);
    directory = await open(failing);
    await fill(directory);
    const good = told(directory);
    // Before the begin, before and after the row and the history, instead of the commit: the answer is lost.
    failing.failAt(6, "once");
    const revoking = directory.change(by, () => ({
      tokens: [aToken("t1", { hash: null, revokedAtMs: 5 })],
      result: 0,
    }));
    await expect(revoking).rejects.toMatchObject({ code: "store_unavailable" });
    expect(good).toStrictEqual([""]);
    expect(contentOf(directory)).toStrictEqual(contentOf(await open(storage)));
  });
});

describe("a storage that fails", () => {
  test("at the start keeps the directory from opening", async () => {
    await storage.close();
    await expect(open(storage)).rejects.toMatchObject({ code: "store_unavailable" });
  });

  test("is not asked when the plan says no", async () => {
    await fill(directory);
    const refusal = new AppError("not_found", "no");
    await expect(
      directory.change(by, () => {
        throw refusal;
      }),
    ).rejects.toBe(refusal);
    expect(await directory.change(by, () => ({ result: 5 }))).toBe(5);
    expect(await history()).toHaveLength(4);
  });

  test("does not keep later changes from being made", async () => {
    const failing = createFailingStorage(storage);
    directory = await open(failing);
    failing.failAt(0, "until healed");
    await expect(fill(directory)).rejects.toMatchObject({ code: "store_unavailable" });
    await expect(fill(directory)).rejects.toMatchObject({ code: "store_unavailable" });
    failing.heal();
    await fill(directory);
    expect(directory.user("ada")).toBeDefined();
  });
});

test("a purge removes for good what was deleted, here and in the storage", async () => {
  await fill(directory);
  await directory.change(by, () => ({
    users: [
      { ...aUser("bob"), deletedAtMs: 5 },
      { ...aUser("eve"), deletedAtMs: 50 },
    ],
    tokens: [aToken("t2", { hash: null, revokedAtMs: 5 }), aToken("t3", { expiresAtMs: 7 })],
    result: 0,
  }));
  const counts = { organizations: 0, users: 1, members: 0, tokens: 2, serverEntries: 0 };
  expect(await directory.purge(by, () => 10)).toStrictEqual(counts);
  expect(directory.users().map(({ id }) => id)).toStrictEqual(["ada", "eve"]);
  expect(directory.tokens().map(({ id }) => id)).toStrictEqual(["t1"]);
  expect(contentOf(directory)).toStrictEqual(contentOf(await open(storage)));
  const before = new Date(10).toISOString();
  expect((await history())[0]).toMatchObject({
    entity: "purge",
    entityId: before,
    action: "purged",
    userId: "root",
    before: null,
    after: { before, ...counts },
  });
});
