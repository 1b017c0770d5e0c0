import { beforeEach, describe, expect, test } from "vitest";
import { AlreadyExists } from "../../src/administration/already-exists.ts";
import { ownerPrincipal } from "../../src/auth/owner-principal.ts";
import type { Principal } from "../../src/core/principal.ts";
import { actor, all, deleted, openAcme, openWorld, owner, startMs } from "./support/world.ts";
import type { World } from "./support/world.ts";

let world: World;
let a: World["administration"];

beforeEach(async () => {
  world = await openAcme();
  a = world.administration;
});

const idsOf = (rows: readonly { id: string }[]): string[] => rows.map(({ id }) => id);
const inAcme = (userId: string) => ({ organizationId: "acme", userId });
const ofAcme = actor("ada", "acme", "admin");

/** A token of vic's, and what the door says to it. */
async function vicsToken(): Promise<() => Promise<string>> {
  const { token } = await a.tokens.create(owner, { name: "x", ...inAcme("vic") });
  return async () => (await world.authenticate(token)).kind;
}

describe.each(["organizations", "users"] as const)("%s", (entity) => {
  const one = entity === "users" ? "user" : "organization";

  test("are added, removed and restored, and nothing is lost", async () => {
    const added = await a[entity].add(owner, { id: "new", name: "New" });
    expect(added).toStrictEqual({
      id: "new",
      name: "New",
      ...(entity === "users" && { passwordSetAtMs: null, disabledAtMs: null }),
      createdAtMs: startMs,
      deletedAtMs: null,
    });
    world.nowMs += 5;
    const removed = await a[entity].remove(owner, "new");
    expect(removed).toStrictEqual({ ...added, deletedAtMs: startMs + 5 });
    expect(idsOf(a[entity].list(owner, all))).not.toContain("new");
    expect(a[entity].list(owner, deleted)).toContainEqual(removed);
    expect(await a[entity].restore(owner, "new")).toStrictEqual(added);
    expect(a[entity].list(owner, all)).toContainEqual(added);
    expect(idsOf(a[entity].list(owner, deleted))).not.toContain("new");
    const rows = await world.history({ entity: one, entityId: "new" });
    expect(rows.map(({ action, actor: who, userId }) => [action, who, userId])).toStrictEqual([
      ["restored", "user", "root"],
      ["deleted", "user", "root"],
      ["created", "user", "root"],
    ]);
    expect(rows[1]).toMatchObject({
      before: { id: "new", name: "New", deletedAt: null },
      after: { id: "new", name: "New", deletedAt: new Date(startMs + 5).toISOString() },
    });
  });

  test("are there once: 409 for one that is there, with the way back for one that is deleted", async () => {
    await a[entity].add(owner, { id: "new", name: "New" });
    const adding = a[entity].add(owner, { id: "new", name: "Other" });
    const restoring = a[entity].restore(owner, "new");
    for (const refused of [adding, restoring]) {
      await expect(refused).rejects.toBeInstanceOf(AlreadyExists);
      await expect(refused).rejects.toMatchObject({
        hint: `agent ${entity === "users" ? "user" : "org"} list`,
      });
    }
    await a[entity].remove(owner, "new");
    const again = a[entity].add(owner, { id: "new", name: "Other" });
    await expect(again).rejects.toBeInstanceOf(AlreadyExists);
    await expect(again).rejects.toMatchObject({
      code: "usage",
      hint: `agent ${entity === "users" ? "user" : "org"} restore new`,
    });
  });

  test("whose id was once another's are not added, though that is gone for good", async () => {
    await a[entity].add(owner, { id: "new", name: "New" });
    await a[entity].remove(owner, "new");
    world.nowMs += 1;
    expect(await a.purge(owner, world.nowMs)).toMatchObject({ [entity]: 2 });
    expect(idsOf(a[entity].list(owner, deleted))).toStrictEqual([]);
    // So too after a start.
    for (const again of [a, (await openWorld(world.storage)).administration]) {
      const adding = again[entity].add(owner, { id: "new", name: "Other" });
      await expect(adding).rejects.toBeInstanceOf(AlreadyExists);
      await expect(adding).rejects.toMatchObject({ hint: "Choose another id" });
    }
    // The same id of the other kind is another.
    const other = entity === "users" ? "organizations" : "users";
    expect(await a[other].add(owner, { id: "new", name: "x" })).toMatchObject({ id: "new" });
  });

  test("of two that are added at once under one id one wins", async () => {
    const answers = await Promise.allSettled(
      ["first", "second"].map((name) => a[entity].add(owner, { id: "new", name })),
    );
    expect(answers).toMatchObject([
      { status: "fulfilled", value: { name: "first" } },
      { status: "rejected", reason: expect.any(AlreadyExists) },
    ]);
    expect(await world.history({ entityId: "new" })).toHaveLength(1);
  });

  test.each(["never", "", "'; DROP TABLE users; --", "../new", "__proto__"])(
    "are not found by %j",
    async (id) => {
      await expect(a[entity].remove(owner, id)).rejects.toMatchObject({ code: "not_found" });
      await expect(a[entity].restore(owner, id)).rejects.toMatchObject({ code: "not_found" });
    },
  );

  test("that are deleted are not found by who deletes", async () => {
    await a[entity].add(owner, { id: "new", name: "New" });
    await a[entity].remove(owner, "new");
    await expect(a[entity].remove(owner, "new")).rejects.toMatchObject({ code: "not_found" });
  });

  test.each([
    "",
    "A",
    "a b",
    "-a",
    "a/b",
    "a\n",
    "a\u0000",
    "' OR 1=1 --",
    "<b>",
    "${HOME}",
    "\u001B[2J",
    "*",
    "ä",
    "a".repeat(101),
    "__proto__",
  ])("take no id like %j", async (id) => {
    await expect(a[entity].add(owner, { id, name: "New" })).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("is no id for"),
    });
  });

  test.each([
    "'; DROP TABLE users; --",
    'Robert "); DELETE FROM x',
    "<script>alert(1)</script>",
    "=cmd|' /C calc'!A0",
    "${jndi:ldap://x}",
    "Ω \u202E right to left",
    " x ",
    "x".repeat(200),
    "😀".repeat(200),
  ])("keep the name %j as it is", async (name) => {
    await a[entity].add(owner, { id: "new", name });
    const again = await openWorld(world.storage);
    expect(again.administration[entity].list(owner, all)).toContainEqual(
      expect.objectContaining({ id: "new", name }),
    );
    expect((await world.history({ entityId: "new" }))[0]?.after).toMatchObject({ name });
  });

  test.each(["", " ", "a\nb", "\u001B[2J", "a\u0000", "\uD800", "x".repeat(201), "😀".repeat(201)])(
    "take no name like %j",
    async (name) => {
      await expect(a[entity].add(owner, { id: "new", name })).rejects.toMatchObject({
        code: "usage",
      });
    },
  );

  test("come in pages", async () => {
    for (const id of ["z1", "z3", "z2", "z4"]) await a[entity].add(owner, { id, name: id });
    const page = (after: string) => idsOf(a[entity].list(owner, { ...all, after, limit: 2 }));
    expect(page("z")).toStrictEqual(["z1", "z2"]);
    expect(page("z2")).toStrictEqual(["z3", "z4"]);
    expect(page("z4")).toStrictEqual([]);
    await a[entity].remove(owner, "z2");
    expect(page("z2")).toStrictEqual(["z3", "z4"]);
  });
});

describe("members", () => {
  test("are in the lists while all three are there", async () => {
    const membersNow = (by: Principal = owner): string[] =>
      a.members.list(by, all).map(({ userId }) => userId);
    expect(membersNow()).toStrictEqual(["ada", "ed", "vic"]);
    expect(idsOf(a.users.list(ofAcme, all))).toStrictEqual(["ada", "ed", "vic"]);
    expect(idsOf(a.users.list(ofAcme, deleted))).toStrictEqual(["lost"]);
    expect(a.members.list(ofAcme, deleted).map(({ userId }) => userId)).toStrictEqual(["pat"]);
    await a.users.restore(owner, "lost");
    await a.members.restore(owner, inAcme("pat"));
    expect(membersNow(ofAcme)).toStrictEqual(["ada", "ed", "lost", "pat", "vic"]);
    await a.organizations.remove(owner, "acme");
    expect(membersNow()).toStrictEqual([]);
    await a.organizations.restore(owner, "acme");
    expect(membersNow()).toHaveLength(5);
  });

  test("are set by the gateway's administrators, changed by the organisation's", async () => {
    await a.users.add(owner, { id: "new", name: "New" });
    const made = await a.members.set(owner, { ...inAcme("new"), role: "viewer" });
    expect(made).toMatchObject({ role: "viewer", createdAtMs: startMs, deletedAtMs: null });
    world.nowMs += 5;
    const changed = await a.members.set(ofAcme, { ...inAcme("new"), role: "admin" });
    expect(changed).toStrictEqual({ ...made, role: "admin" });
    const [row] = await world.history({ entity: "member", entityId: "acme/new" });
    expect(row).toMatchObject({
      action: "changed",
      userId: "ada",
      organizationId: "acme",
      before: { role: "viewer" },
      after: { role: "admin" },
    });
  });

  test("are made by the gateway's only, which is said of every id alike", async () => {
    await a.users.add(owner, { id: "free", name: "Free" });
    for (const userId of ["never", "lost", "pat", "free"]) {
      const setting = a.members.set(ofAcme, { ...inAcme(userId), role: "viewer" });
      await expect(setting).rejects.toMatchObject({
        code: "not_found",
        message: `"${userId}" is no member of "acme"`,
        hint: "The owner of the gateway adds members",
      });
    }
  });

  test("set to what they are change nothing", async () => {
    const before = await world.history();
    await a.members.set(owner, { ...inAcme("vic"), role: "viewer" });
    expect(await world.history()).toStrictEqual(before);
  });

  test("that are no more come back with the role they are given, by the gateway's only", async () => {
    const back = { ...inAcme("pat"), role: "editor" } as const;
    await expect(a.members.set(ofAcme, back)).rejects.toMatchObject({ code: "not_found" });
    expect(await a.members.set(owner, back)).toMatchObject({ role: "editor", deletedAtMs: null });
    expect((await world.history({ entityId: "acme/pat" }))[0]).toMatchObject({
      action: "restored",
    });
  });

  test("need their user and organisation, and are restored once", async () => {
    const set = (organizationId: string, userId: string) =>
      a.members.set(owner, { organizationId, userId, role: "viewer" });
    for (const [organizationId, userId, word] of [
      ["never", "ada", "organisation"],
      ["gone", "ada", "organisation"],
      ["acme", "never", "user"],
      ["acme", "lost", "user"],
    ] as const) {
      await expect(set(organizationId, userId)).rejects.toMatchObject({
        code: "not_found",
        message: expect.stringContaining(`There is no ${word}`),
      });
    }
    const restoring = a.members.restore(owner, inAcme("vic"));
    await expect(restoring).rejects.toBeInstanceOf(AlreadyExists);
    await expect(restoring).rejects.toMatchObject({ hint: "agent member list" });
    for (const userId of ["never", "pat", "lost"]) {
      await expect(a.members.remove(owner, inAcme(userId))).rejects.toMatchObject({
        code: "not_found",
      });
    }
  });

  test("come in pages, in the order of organisation and user", async () => {
    for (const id of ["acme-2", "acm"]) {
      await a.organizations.add(owner, { id, name: id });
      await a.members.set(owner, { organizationId: id, userId: "vic", role: "viewer" });
    }
    const page = (after?: string) =>
      a.members
        .list(owner, { ...all, after, limit: 2 })
        .map(({ organizationId, userId }) => `${organizationId}/${userId}`);
    expect(page()).toStrictEqual(["acm/vic", "acme/ada"]);
    expect(page("acme/ada")).toStrictEqual(["acme/ed", "acme/vic"]);
    expect(page("acme/vic")).toStrictEqual(["acme-2/vic"]);
    expect(page("acme-2")).toStrictEqual(["acme-2/vic"]);
    expect(a.members.list(owner, { ...all, userId: "vic" })).toHaveLength(3);
    expect(a.members.list(owner, { ...all, organizationId: "acm" })).toHaveLength(1);
  });
});

describe("what is deleted takes its tokens with it, at once and for good", () => {
  const ways: [string, () => Promise<unknown>, () => Promise<unknown>, number][] = [
    ["the user", () => a.users.remove(owner, "vic"), () => a.users.restore(owner, "vic"), 2],
    [
      "the membership",
      () => a.members.remove(ofAcme, inAcme("vic")),
      () => a.members.restore(owner, inAcme("vic")),
      2,
    ],
    [
      "the organisation",
      () => a.organizations.remove(owner, "acme"),
      () => a.organizations.restore(owner, "acme"),
      3,
    ],
  ];

  test.each(ways)("%s", async (_what, remove, restore, count) => {
    const answer = await vicsToken();
    expect(await answer()).toBe("accepted");
    const others = world.directory.findToken(
      world.directory.token(world.tokens.cli)?.hash ?? "none",
    );
    await remove();
    expect(await answer()).toBe("rejected");
    expect(world.revoked()).toHaveLength(count);
    for (const id of world.revoked()) {
      expect(world.directory.token(id)).toMatchObject({ hash: null, revokedAtMs: startMs });
    }
    const rows = await world.history({ entity: "token" });
    expect(rows.filter(({ action }) => action === "deleted")).toHaveLength(count);
    await restore();
    expect(await answer()).toBe("rejected");
    expect(world.directory.token(world.tokens.cli)).toBe(others);
    // And so after a start.
    const again = await openWorld(world.storage);
    expect(again.directory.token(world.tokens.vic)?.hash).toBeNull();
  });

  test("but not those of another organisation, nor of somebody else of that name", async () => {
    await a.organizations.add(owner, { id: "beta", name: "Beta" });
    await a.members.set(owner, { organizationId: "beta", userId: "vic", role: "viewer" });
    const there = await a.tokens.create(owner, {
      name: "x",
      organizationId: "beta",
      userId: "vic",
    });
    const namesake = await a.tokens.create(ownerPrincipal("vic"), { name: "x" });
    await a.members.remove(owner, inAcme("vic"));
    expect(await world.authenticate(there.token)).toMatchObject({ kind: "accepted" });
    await a.users.remove(owner, "vic");
    expect(await world.authenticate(there.token)).toMatchObject({ kind: "rejected" });
    expect(await world.authenticate(namesake.token)).toMatchObject({ kind: "accepted" });
  });

  test("a role that is changed counts at the next request", async () => {
    const { token } = await a.tokens.create(owner, { name: "x", ...inAcme("ada") });
    expect(await world.authenticate(token)).toMatchObject({ principal: { role: "admin" } });
    await a.members.set(owner, { ...inAcme("ada"), role: "viewer" });
    expect(await world.authenticate(token)).toMatchObject({ principal: { role: "viewer" } });
    expect(world.revoked()).toStrictEqual([]);
  });
});
