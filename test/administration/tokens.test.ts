import { beforeEach, describe, expect, test } from "vitest";
import type { Principal } from "../../src/core/principal.ts";
import { actor, all, deleted, openAcme, owner, startMs } from "./support/world.ts";
import type { World } from "./support/world.ts";

const day = 24 * 60 * 60 * 1000;
let world: World;
let tokens: World["administration"]["tokens"];

beforeEach(async () => {
  world = await openAcme();
  ({ tokens } = world.administration);
});

const inAcme = (userId: string) => ({ organizationId: "acme", userId });
const ada = actor("ada", "acme", "admin");

describe("a personal token", () => {
  test("is for a member, with what the member holds, for 90 days", async () => {
    const { token, details } = await tokens.create(ada, { name: "CI of Ada", ...inAcme("ed") });
    expect(token).toMatch(/^od_[\w-]{43}$/);
    expect(details).toStrictEqual({
      id: expect.any(String),
      kind: "personal",
      name: "CI of Ada",
      userId: "ed",
      organizationId: "acme",
      role: null,
      effectiveRole: "editor",
      scopes: [],
      createdAtMs: startMs,
      expiresAtMs: startMs + 90 * day,
      refreshExpiresAtMs: null,
      revokedAtMs: null,
    });
    expect(await world.authenticate(token)).toMatchObject({
      principal: { userId: "ed", organizationId: "acme", role: "editor" },
    });
    const rows = await world.history({ entity: "token", entityId: details.id });
    expect(rows).toMatchObject([{ action: "created", userId: "ada", organizationId: "acme" }]);
    const shown = JSON.stringify([details, rows, tokens.list(ada, all)]);
    expect(shown).not.toContain(token);
    expect(shown).not.toContain("hash");
  });

  test.each([
    ["vic", "viewer"],
    ["ed", "viewer"],
    ["ed", "editor"],
    ["ada", "viewer"],
    ["ada", "admin"],
  ] as const)("of %s may be for %s", async (userId, role) => {
    for (const by of [ada, owner]) {
      const { details } = await tokens.create(by, { name: "x", ...inAcme(userId), role });
      expect(details.role).toBe(role);
    }
  });

  test.each([
    ["vic", "editor"],
    ["vic", "admin"],
    ["ed", "admin"],
  ] as const)("of %s may not be for %s", async (userId, role) => {
    for (const by of [ada, owner]) {
      const making = tokens.create(by, { name: "x", ...inAcme(userId), role });
      await expect(making).rejects.toMatchObject({
        code: "forbidden",
        message: expect.stringContaining("no more than its user holds"),
        hint: `agent member set ${userId} acme ${role}`,
      });
    }
  });

  test("made without a role follows its user, and with one the lesser counts", async () => {
    const { members } = world.administration;
    const free = await tokens.create(ada, { name: "x", ...inAcme("vic") });
    const limited = await tokens.create(ada, { name: "x", ...inAcme("vic"), role: "viewer" });
    const shown = () =>
      [free, limited].map(({ details: { id } }) => {
        const row = tokens.list(ada, all).find((each) => each.id === id);
        return [row?.role, row?.effectiveRole];
      });
    expect(shown()).toStrictEqual([
      [null, "viewer"],
      ["viewer", "viewer"],
    ]);
    await members.set(ada, { ...inAcme("vic"), role: "editor" });
    expect(shown()).toStrictEqual([
      [null, "editor"],
      ["viewer", "viewer"],
    ]);
    const following = await world.admit(free.token);
    expect(following).toMatchObject({ role: "editor" });
    expect(following).not.toHaveProperty("userRole");
    expect(await world.admit(limited.token)).toMatchObject({ role: "viewer", userRole: "editor" });
    const rotated = await tokens.rotate(ada, free.details.id);
    expect(rotated.details).toMatchObject({ role: null, effectiveRole: "editor" });
  });

  test("may nothing by its role once it has expired, or where it is for the metrics alone", async () => {
    const scoped = await tokens.create(owner, { name: "x", scopes: ["metrics"] });
    expect(scoped.details).toMatchObject({ role: null, effectiveRole: null });
    const own = await tokens.create(owner, { name: "x", lifetimeMs: 1 });
    expect(own.details).toMatchObject({ role: null, effectiveRole: "admin" });
    world.nowMs += 1;
    const { id } = own.details;
    expect(tokens.list(owner, all).find((row) => row.id === id)?.effectiveRole).toBeNull();
  });

  test("of an organisation's administrator need not name the organisation", async () => {
    const { details } = await tokens.create(ada, { name: "x", userId: "vic" });
    expect(details.organizationId).toBe("acme");
  });

  test("without user and organisation is the local owner's", async () => {
    const { token, details } = await tokens.create(owner, { name: "x", role: "viewer" });
    expect(details).toMatchObject({ userId: "root", organizationId: null, role: "viewer" });
    expect(await world.authenticate(token)).toMatchObject({
      principal: { userId: "root", organizationId: null, role: "viewer", isLocalOwner: true },
    });
  });

  test("without an organisation is not for those who are let in otherwise: it would outlast that", async () => {
    const { token, details } = await tokens.create(owner, { name: "x" });
    const others = [
      actor("ops", null, "admin"),
      { ...actor("anonymous", null, "admin"), method: "none" as const },
    ];
    for (const by of others) {
      for (const [denied, hint] of [
        [tokens.create(by, { name: "x", lifetimeMs: null }), "organisation and the user"],
        // To name them would be refused as well.
        [tokens.create(by, { name: "x", scopes: ["metrics"] }), "owner of the gateway"],
        [tokens.rotate(by, details.id), "organisation and the user"],
      ] as const) {
        await expect(denied).rejects.toMatchObject({
          code: "forbidden",
          hint: expect.stringContaining(hint),
        });
      }
      await tokens.create(by, { name: "x", ...inAcme("vic") });
    }
    // By such a token it is the owner again.
    const byToken = await world.admit(token);
    expect(await tokens.create(byToken, { name: "y" })).toMatchObject({
      details: { userId: "root", organizationId: null },
    });
  });

  test.each<[string, Principal, object, string]>([
    ["the user alone", owner, { userId: "vic" }, "usage"],
    ["the organisation alone", owner, { organizationId: "acme" }, "usage"],
    ["the organisation alone, its own", ada, { organizationId: "acme" }, "usage"],
    ["nobody, as no administrator of the gateway", ada, {}, "usage"],
    [
      "an organisation that is nowhere",
      owner,
      { organizationId: "no", userId: "vic" },
      "not_found",
    ],
    ["one that is deleted", owner, { organizationId: "gone", userId: "vic" }, "not_found"],
    ["a user that is nowhere", owner, inAcme("never"), "not_found"],
    ["a user that is deleted", owner, inAcme("lost"), "not_found"],
    ["a user that is a member no more", owner, inAcme("pat"), "not_found"],
  ])("is not made for %s", async (_what, by, wanted, code) => {
    await expect(tokens.create(by, { name: "x", ...wanted })).rejects.toMatchObject({ code });
  });

  test.each<[object, string]>([
    [{ name: "" }, "usage"],
    [{ name: "a\u001B[2Jb" }, "usage"],
    [{ scopes: ["everything"] }, "usage"],
    [{ scopes: ["metrics", "metrics "] }, "usage"],
    [{ scopes: ["__proto__"] }, "usage"],
    [{ lifetimeMs: 0 }, "usage"],
    [{ lifetimeMs: -1 }, "usage"],
    [{ lifetimeMs: 0.5 }, "usage"],
    [{ lifetimeMs: Number.NaN }, "usage"],
    [{ lifetimeMs: Infinity }, "usage"],
    [{ lifetimeMs: 3651 * day }, "usage"],
  ])("is not made with %j", async (wanted, code) => {
    await expect(tokens.create(owner, { name: "x", ...wanted })).rejects.toMatchObject({ code });
    expect(tokens.list(owner, { ...all, userId: "root" })).toHaveLength(1);
  });

  test("is good as long as was said", async () => {
    const short = await tokens.create(owner, { name: "x", lifetimeMs: 1000 });
    const ever = await tokens.create(owner, { name: "x", lifetimeMs: null });
    expect(ever.details.expiresAtMs).toBeNull();
    world.nowMs += 1000;
    expect(await world.authenticate(short.token)).toStrictEqual({
      kind: "rejected",
      reason: "The token has expired",
    });
    world.nowMs += 10_000 * day;
    expect(await world.authenticate(ever.token)).toMatchObject({ kind: "accepted" });
  });

  test("for the metrics is good for those only, and not an organisation's administrator's to give", async () => {
    const scopes = ["metrics", "metrics"];
    const own = await tokens.create(owner, { name: "x", scopes });
    expect(own.details.scopes).toStrictEqual(["metrics"]);
    expect(await world.authenticate(own.token)).toMatchObject({
      principal: { scopes: ["metrics"] },
    });
    // Where metrics are asked for, it would be refused: it is not made.
    for (const wanted of [inAcme("vic"), { userId: "vic" }, { organizationId: "acme" }]) {
      await expect(tokens.create(owner, { name: "x", scopes, ...wanted })).rejects.toMatchObject({
        code: "usage",
        message: expect.stringContaining("not made for a user or an organisation"),
        hint: "agent token create --name <name> --scope metrics, without --user and --organization",
      });
    }
    await expect(tokens.create(ada, { name: "x", scopes, ...inAcme("vic") })).rejects.toMatchObject(
      { code: "forbidden" },
    );
  });
});

describe("a token that is replaced", () => {
  test("has another secret, and nothing else is changed", async () => {
    const old = await tokens.create(ada, { name: "x", ...inAcme("vic") });
    world.nowMs += 5;
    const fresh = await tokens.rotate(ada, old.details.id);
    expect(fresh.details).toStrictEqual(old.details);
    expect(fresh.token).not.toBe(old.token);
    expect(await world.authenticate(old.token)).toMatchObject({ kind: "rejected" });
    expect(await world.authenticate(fresh.token)).toMatchObject({ kind: "accepted" });
    expect((await world.history({ entityId: old.details.id }))[0]).toMatchObject({
      action: "changed",
      after: { rotated: true },
    });
  });

  test("must be good, and made by people", async () => {
    const { details } = await tokens.create(owner, { name: "x", lifetimeMs: 5 });
    world.nowMs += 5;
    await expect(tokens.rotate(owner, details.id)).rejects.toMatchObject({
      code: "usage",
      message: expect.stringContaining("has expired"),
    });
    await expect(tokens.rotate(owner, world.tokens.cli)).rejects.toMatchObject({ code: "usage" });
    await tokens.revoke(owner, details.id);
    await expect(tokens.rotate(owner, details.id)).rejects.toMatchObject({ code: "not_found" });
    await expect(tokens.rotate(owner, "never")).rejects.toMatchObject({ code: "not_found" });
  });
});

describe("a token that is taken back", () => {
  test("is out at once, in the list of those, and taken back once", async () => {
    const { token, details } = await tokens.create(ada, { name: "x", ...inAcme("vic") });
    world.nowMs += 5;
    const revoked = await tokens.revoke(ada, details.id);
    expect(revoked).toStrictEqual({
      ...details,
      effectiveRole: null,
      revokedAtMs: startMs + 5,
    });
    expect(await world.authenticate(token)).toMatchObject({ kind: "rejected" });
    expect(world.revoked()).toStrictEqual([details.id]);
    expect(tokens.list(ada, deleted)).toStrictEqual([revoked]);
    expect(tokens.list(ada, all)).toHaveLength(2);
    await expect(tokens.revoke(ada, details.id)).rejects.toMatchObject({ code: "not_found" });
    expect((await world.history({ entityId: details.id }))[0]).toMatchObject({
      action: "deleted",
    });
  });

  test("may be the owner's, and one that has expired", async () => {
    world.nowMs += 2 * day;
    expect(await tokens.revoke(owner, world.tokens.cli)).toMatchObject({ kind: "cli" });
    expect(world.directory.token(world.tokens.cli)?.hash).toBeNull();
  });

  test("twice at once is taken back once", async () => {
    const answers = await Promise.allSettled([
      tokens.revoke(owner, world.tokens.vic),
      tokens.revoke(owner, world.tokens.vic),
      tokens.rotate(owner, world.tokens.vic),
    ]);
    expect(answers.map(({ status }) => status)).toStrictEqual([
      "fulfilled",
      "rejected",
      "rejected",
    ]);
  });
});

test("lists come in pages and by user", async () => {
  const ids = tokens.list(owner, all).map(({ id }) => id);
  expect(ids).toStrictEqual(ids.toSorted());
  expect(ids).toHaveLength(3);
  const [first] = tokens.list(owner, { ...all, limit: 1 });
  expect(tokens.list(owner, { ...all, after: first?.id }).map(({ id }) => id)).toStrictEqual(
    ids.slice(1),
  );
  expect(tokens.list(owner, { ...all, userId: "vic" })).toHaveLength(1);
});
