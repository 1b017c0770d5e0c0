import { beforeEach, describe, expect, test } from "vitest";
import { actor, openAcme, owner, startMs } from "./support/world.ts";
import type { World } from "./support/world.ts";

const newest = { order: "newest", limit: 100 } as const;
const ada = actor("ada", "acme", "admin");
let world: World;
let a: World["administration"];

beforeEach(async () => {
  world = await openAcme();
  a = world.administration;
});

describe("the change history", () => {
  test("is shown without secrets of servers' entries, which stay in it", async () => {
    const [row] = (await a.history(owner, { entity: "server", limit: 1 })).rows;
    expect(row).toMatchObject({ entityId: "files", after: { command: "files" } });
    expect(JSON.stringify(row)).not.toContain("hunter2");
    expect(JSON.stringify(await world.history({ entity: "server" }))).toContain("hunter2");
    const { name, from } = await a.restoreServer(owner, "files");
    expect(name).toBe("files");
    expect(JSON.stringify(from)).not.toContain("hunter2");
  });

  test("is an organisation's for its administrators, and everything for the gateway's", async () => {
    const { rows: own } = await a.history(ada, { limit: 100 });
    expect(new Set(own.map(({ organizationId }) => organizationId))).toStrictEqual(
      new Set(["acme"]),
    );
    const { rows: everything } = await a.history(owner, { limit: 100 });
    expect(everything).toHaveLength((await world.history()).length);
    expect(await a.history(owner, { organizationId: "acme", limit: 100 })).toStrictEqual({
      rows: own,
      next: null,
    });
    const [first, second] = own;
    expect(await a.history(ada, { before: first?.sequence, limit: 1 })).toStrictEqual({
      rows: [second],
      next: second?.sequence,
    });
  });
});

const rowsOf = async (...asked: Parameters<typeof a.audit>) => (await a.audit(...asked)).rows;

test("audit rows are an organisation's for its administrators, and everybody's for the gateway's", async () => {
  expect(await rowsOf(ada, newest)).toMatchObject([{ organizationId: "acme" }]);
  expect(await rowsOf(owner, newest)).toHaveLength(2);
  expect(await rowsOf(owner, { ...newest, organizationId: "acme" })).toHaveLength(1);
});

test("two questions of one principal are answered at once, for calls and changes together", async () => {
  const refused = { status: "rejected", reason: { code: "rate_limited", retryAfterSeconds: 1 } };
  const answered = { status: "fulfilled" };
  const asked = [a.audit(ada, newest), a.history(ada, { limit: 1 }), a.audit(ada, newest)];
  const others = [a.history(ada, { limit: 1 }), a.audit(owner, newest)];
  expect(await Promise.allSettled([...asked, ...others])).toMatchObject([
    answered,
    answered,
    refused,
    refused,
    answered,
  ]);
  expect(await rowsOf(ada, newest)).toHaveLength(1);
});

describe("a purge", () => {
  test("removes what was deleted before that time, and is one row of the history", async () => {
    world.nowMs += 10;
    await a.users.remove(owner, "vic");
    world.nowMs += 10;
    const purged = await a.purge(owner, startMs + 10);
    expect(purged).toStrictEqual({
      organizations: 1,
      users: 1,
      members: 2,
      tokens: 0,
      serverEntries: 0,
    });
    expect(world.directory.user("lost")).toBeUndefined();
    expect(world.directory.user("vic")).toBeDefined();
    expect((await world.history())[0]).toMatchObject({
      entity: "purge",
      action: "purged",
      userId: "root",
      after: { ...purged, before: new Date(startMs + 10).toISOString() },
    });
  });

  test.each([startMs + 1, Number.NaN, -1, 0.5, Infinity])(
    "is refused for %j: it would remove what is good until then, or is no time",
    async (beforeMs) => {
      await expect(a.purge(owner, beforeMs)).rejects.toMatchObject({ code: "usage" });
      expect(world.directory.token(world.tokens.vic)?.hash).not.toBeNull();
    },
  );
});
