import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import { administerUsers } from "../../src/administration/users.ts";
import { openDirectory } from "../../src/auth/directory.ts";
import type { Principal, Role } from "../../src/core/principal.ts";
import {
  actor,
  addSession,
  all,
  deleted,
  openAcme,
  openWorld,
  owner,
  startMs,
  testPasswords,
} from "./support/world.ts";
import type { World } from "./support/world.ts";

let world: World;
let a: World["administration"];

beforeEach(async () => {
  world = await openAcme();
  a = world.administration;
});

const phrase = "correct horse battery";
const inAcme = (userId: string) => ({ organizationId: "acme", userId });
const newToken = async (userId: string): Promise<string> =>
  (await a.tokens.create(owner, { name: "x", ...inAcme(userId) })).token;
const stored = (id: string): string => world.directory.user(id)?.password?.hash ?? "";
const at = (ms: number): string => new Date(ms).toISOString();
const now = (): number => startMs;
const failing = (code: string) => ({ code });

describe("a user who is disabled", () => {
  test("is known, and gets in nowhere, until enabled", async () => {
    const token = await newToken("vic");
    world.nowMs += 5;
    const row = await a.users.disable(owner, "vic");
    expect(row).toStrictEqual({
      id: "vic",
      name: "vic",
      passwordSetAtMs: null,
      disabledAtMs: startMs + 5,
      createdAtMs: startMs,
      deletedAtMs: null,
    });
    expect(await world.authenticate(token)).toMatchObject({ kind: "rejected" });
    expect(world.directory.roleIn(inAcme("vic"))).toBeUndefined();
    expect(a.users.list(owner, all)).toContainEqual(row);
    expect(a.members.list(owner, { ...all, userId: "vic" })).toHaveLength(1);
    // And so after a start.
    const again = await openWorld(world.storage);
    expect(await again.authenticate(token)).toMatchObject({ kind: "rejected" });
    expect(await a.users.enable(owner, "vic")).toStrictEqual({ ...row, disabledAtMs: null });
    expect(await world.authenticate(token)).toMatchObject({ principal: { role: "viewer" } });
  });

  test("has standing nowhere from then on", async () => {
    const principal = await world.admit(await newToken("vic"));
    let told = 0;
    world.directory.onChanged(() => (told += 1));
    await a.users.disable(owner, "vic");
    expect(told).toBe(1);
    expect(world.directory.renew(principal)).toBeUndefined();
  });

  test("has no tokens that are good for anything, and gets no new ones", async () => {
    await a.users.disable(owner, "vic");
    const [token] = a.tokens.list(owner, { ...all, userId: "vic" });
    expect(token).toMatchObject({ id: world.tokens.vic, effectiveRole: null, revokedAtMs: null });
    await expect(newToken("vic")).rejects.toMatchObject({
      code: "usage",
      message: 'The user "vic" is disabled, and no token is good for it',
      hint: "agent user enable vic",
    });
  });

  test("has no sessions any more, though others have, and enabling brings none back", async () => {
    const [one, two, eds] = [
      await addSession(world, "vic"),
      await addSession(world, "vic"),
      await addSession(world, "ed"),
    ];
    expect(world.directory.findSession(`family of ${one.id}`)).toMatchObject({ id: one.id });
    await a.users.disable(owner, "vic");
    await a.users.enable(owner, "vic");
    for (const { id } of [one, two]) {
      expect(world.directory.token(id)).toMatchObject({
        hash: null,
        refresh: null,
        revokedAtMs: startMs,
      });
      expect(world.directory.findSession(`family of ${id}`)).toBeUndefined();
    }
    expect(world.revoked()).toHaveLength(2);
    expect(world.directory.findSession(`family of ${eds.id}`)).toMatchObject({ id: eds.id });
  });

  test("is taken out of an organisation, and removed, as others are", async () => {
    await a.users.disable(owner, "vic");
    await a.members.set(owner, { ...inAcme("vic"), role: "editor" });
    await a.members.remove(owner, inAcme("vic"));
    expect(a.members.list(owner, { ...all, userId: "vic" })).toStrictEqual([]);
    await a.users.remove(owner, "vic");
    expect(a.users.list(owner, deleted).map(({ id }) => id)).toContain("vic");
    expect(await a.users.restore(owner, "vic")).toMatchObject({ disabledAtMs: startMs });
  });

  test("twice is since the first time, and nothing is written of the second", async () => {
    await a.users.disable(owner, "vic");
    const rows = await world.history();
    world.nowMs += 5;
    expect(await a.users.disable(owner, "vic")).toMatchObject({ disabledAtMs: startMs });
    await a.users.enable(owner, "ed");
    expect(await world.history()).toStrictEqual(rows);
  });

  test("is in the history, with since when", async () => {
    await a.users.disable(owner, "vic");
    await a.users.enable(owner, "vic");
    const disabledAt = at(startMs);
    expect(await world.history({ entity: "user", entityId: "vic" })).toMatchObject([
      { action: "changed", userId: "root", before: { disabledAt }, after: { disabledAt: null } },
      { action: "changed", userId: "root", before: { disabledAt: null }, after: { disabledAt } },
      { action: "created" },
    ]);
  });
});

describe("a password", () => {
  test("is set, replaced, and known by its hash alone", async () => {
    const row = await a.users.setPassword(owner, "vic", phrase);
    expect(row).toMatchObject({ id: "vic", passwordSetAtMs: startMs });
    const first = stored("vic");
    expect(await testPasswords.verify(phrase, first)).toBe(true);
    world.nowMs += 5;
    await a.users.setPassword(owner, "vic", `${phrase} staple`);
    expect(await testPasswords.verify(phrase, stored("vic"))).toBe(false);
    expect(await testPasswords.verify(`${phrase} staple`, stored("vic"))).toBe(true);
    const rows = await world.history({ entity: "user", entityId: "vic" });
    expect(rows).toMatchObject([
      { before: { passwordSetAt: at(startMs) }, after: { passwordSetAt: at(startMs + 5) } },
      { before: { passwordSetAt: null }, after: { passwordSetAt: at(startMs) } },
      { action: "created", after: { passwordSetAt: null } },
    ]);
    const said = JSON.stringify([row, rows, a.users.list(owner, all), await world.history()]);
    for (const secret of [phrase, "staple", "scrypt", "hash", first, stored("vic")]) {
      expect(said).not.toContain(secret);
    }
  });

  test("that is new ends the user's sessions, and no token of another kind", async () => {
    const token = await newToken("vic");
    const [vics, eds] = [await addSession(world, "vic"), await addSession(world, "ed")];
    await a.users.setPassword(owner, "vic", phrase);
    expect(world.revoked()).toStrictEqual([vics.id]);
    expect(world.directory.token(eds.id)).toMatchObject({ revokedAtMs: null });
    expect(await world.authenticate(token)).toMatchObject({ kind: "accepted" });
  });

  test("that is new tells how many tokens let somebody in as the user all the same", async () => {
    const count = async (): Promise<number> =>
      (await a.users.setPassword(owner, "vic", phrase)).livePersonalTokens;
    const before = await count();
    await addSession(world, "vic");
    await newToken("ed");
    const { details } = await a.tokens.create(owner, {
      name: "t",
      userId: "vic",
      organizationId: "acme",
    });
    await a.tokens.create(owner, {
      name: "short",
      userId: "vic",
      organizationId: "acme",
      lifetimeMs: 60_000,
    });
    expect(await count()).toBe(before + 2);
    world.nowMs += 60_000;
    expect(await count()).toBe(before + 1);
    await a.tokens.revoke(owner, details.id);
    expect(await count()).toBe(before);
  });

  test("goes with its user, and does not come back", async () => {
    await a.users.setPassword(owner, "vic", phrase);
    const removed = await a.users.remove(owner, "vic");
    expect(removed.passwordSetAtMs).toBeNull();
    await a.users.restore(owner, "vic");
    expect(world.directory.user("vic")).toMatchObject({ password: null });
  });

  test("of somebody who is disabled may be set, and lets nobody in", async () => {
    await a.users.disable(owner, "vic");
    const row = await a.users.setPassword(owner, "vic", phrase);
    expect(row).toMatchObject({ passwordSetAtMs: startMs, disabledAtMs: startMs });
  });

  test.each([
    ["", /at least 12/],
    ["x".repeat(11), /at least 12/],
    ["😀".repeat(11), /at least 12/],
    ["x".repeat(1025), /at most 1024 bytes/],
    ["é".repeat(513), /at most 1024 bytes/],
    [`${phrase}\n`, /control/],
    [`${phrase}\0`, /control/],
    [`${phrase}\uD800`, /control/],
  ])("that is %j is refused", async (password, words) => {
    const before = await world.history();
    const setting = a.users.setPassword(owner, "vic", password);
    await expect(setting).rejects.toMatchObject({
      code: "usage",
      message: expect.stringMatching(words),
      hint: expect.stringContaining("12"),
    });
    expect(await world.history()).toStrictEqual(before);
  });

  test.each(["x".repeat(12), "😀".repeat(12), "x".repeat(1024), "é".repeat(512)])(
    "of the right length is taken: %j",
    async (password) => {
      await a.users.setPassword(owner, "vic", password);
      expect(await testPasswords.verify(password, stored("vic"))).toBe(true);
    },
  );

  test("is not the user's id, however it is written", async () => {
    const id = "robert@example.com";
    await a.users.add(owner, { id, name: "Robert" });
    for (const password of [id, "Robert@Example.COM", "robert\uFF20example.com"]) {
      await expect(a.users.setPassword(owner, id, password)).rejects.toMatchObject({
        code: "usage",
        message: "A password is not the user's id",
      });
    }
    await a.users.setPassword(owner, id, `${id}!`);
  });

  test("is not hashed for who may not set it, nor for nobody", async () => {
    const refusals: [Principal, string, string][] = [
      [actor("ada", "acme", "admin"), "vic", "forbidden"],
      [actor("ada", "acme", "admin"), "never", "forbidden"],
      [owner, "never", "not_found"],
      [owner, "lost", "not_found"],
    ];
    for (const [by, id, code] of refusals) {
      // A password that would be refused as well: what is asked first is who asks, then for whom.
      await expect(a.users.setPassword(by, id, "short")).rejects.toMatchObject(failing(code));
    }
  });

  test("is not set for a user who was removed while it was hashed", async () => {
    const setting = a.users.setPassword(owner, "vic", phrase);
    await a.users.remove(owner, "vic");
    await expect(setting).rejects.toMatchObject(failing("not_found"));
    expect(world.directory.user("vic")).toMatchObject({ password: null });
  });

  test("is not set by who lost the right while it was hashed", async () => {
    const { storage } = world;
    let role: Role = "admin";
    const renew = (by: Principal): Principal => ({ ...by, role });
    const directory = await openDirectory({ storage, now, newId: randomUUID, renew });
    const hash = (): Promise<string> => {
      role = "viewer";
      return Promise.resolve("a hash");
    };
    const users = administerUsers({ directory, storage, now, passwords: { hash } });
    await expect(users.setPassword(owner, "vic", phrase)).rejects.toMatchObject(
      failing("forbidden"),
    );
    expect(directory.user("vic")).toMatchObject({ password: null });
  });

  test("does not hold up other changes while it is hashed", async () => {
    const order: string[] = [];
    const setting = a.users.setPassword(owner, "vic", phrase).then(() => order.push("password"));
    await a.users.add(owner, { id: "new", name: "New" }).then(() => order.push("user"));
    await setting;
    expect(order).toStrictEqual(["user", "password"]);
  });
});

test.each(["disable", "enable"] as const)("nobody is not found by %s", async (verb) => {
  for (const id of ["never", "lost", "", "../x", "__proto__"]) {
    await expect(a.users[verb](owner, id)).rejects.toMatchObject(failing("not_found"));
  }
});

describe("a session", () => {
  test("is among the tokens, with what its user may, for as long as it can go on", async () => {
    const { id } = await addSession(world, "vic");
    const find = () => a.tokens.list(owner, all).find((row) => row.id === id);
    expect(find()).toMatchObject({
      kind: "session",
      effectiveRole: "viewer",
      expiresAtMs: startMs + 3_600_000,
      refreshExpiresAtMs: startMs + 86_400_000,
    });
    expect(JSON.stringify(find())).not.toContain("refresh of");
    world.nowMs += 3_600_001;
    expect(find()).toMatchObject({ effectiveRole: "viewer" });
    world.nowMs += 86_400_000;
    expect(find()).toMatchObject({ effectiveRole: null });
  });

  test("is taken back as a token is, and not rotated", async () => {
    const { id } = await addSession(world, "vic");
    await expect(a.tokens.rotate(owner, id)).rejects.toMatchObject(failing("usage"));
    await a.tokens.revoke(owner, id);
    expect(world.directory.token(id)).toMatchObject({ hash: null, refresh: null });
    expect(world.directory.findSession(`family of ${id}`)).toBeUndefined();
  });

  test("is purged when it can go on no more", async () => {
    const { id } = await addSession(world, "vic");
    world.nowMs += 86_400_000;
    await a.purge(owner, world.nowMs);
    expect(world.directory.token(id)).toBeDefined();
    world.nowMs += 1;
    await a.purge(owner, world.nowMs);
    expect(world.directory.token(id)).toBeUndefined();
    expect(world.directory.findSession(`family of ${id}`)).toBeUndefined();
  });
});
