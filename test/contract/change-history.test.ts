import { describe, expect, test } from "vitest";
import type { ChangeQuery } from "../../src/core/change.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import { RowRefused } from "../../src/storage/row-refused.ts";
import { change } from "../storage/support/rows.ts";
import { describeStorages } from "./describe-storages.ts";

describeStorages((under) => {
  const { within } = under;
  const list = (query: Partial<ChangeQuery> = {}) =>
    within((tx) => tx.changes.list({ limit: 100, ...query }));
  const sequences = async (query: Partial<ChangeQuery> = {}): Promise<number[]> =>
    (await list(query)).map(({ sequence }) => sequence);

  const page = (query: Partial<ChangeQuery>) =>
    under.storage.changePage(systemPrincipal, { limit: 2, ...query });

  test("gives back every field as it was, newest first", async () => {
    const first = change({ before: { a: [1, null, { b: "c" }] }, after: null, action: "deleted" });
    const second = change({
      actor: "file",
      userId: null,
      organizationId: "acme",
      entity: "member",
      entityId: "acme/ada",
      timeMs: 5,
      before: null,
      after: {},
    });
    await within((tx) => tx.changes.append([first]));
    await within((tx) => tx.changes.append([second]));
    await within((tx) => tx.changes.append([]));
    expect(await list()).toStrictEqual([
      { sequence: 2, ...second },
      { sequence: 1, ...first },
    ]);
  });

  test("refuses a change whose id is there, with those appended beside it", async () => {
    const twice = change();
    await within((tx) => tx.changes.append([twice]));
    await expect(within((tx) => tx.changes.append([change(), twice]))).rejects.toBeInstanceOf(
      RowRefused,
    );
    expect(await sequences()).toStrictEqual([1]);
  });

  test("is read page by page from outside of transactions as well", async () => {
    const rows = ["a", "b", "a", "a"].map((entityId) => change({ entityId }));
    await within((tx) => tx.changes.append(rows));
    expect(await page({})).toStrictEqual({
      rows: [
        { sequence: 4, ...rows[3] },
        { sequence: 3, ...rows[2] },
      ],
      next: 3,
    });
    expect(await page({ before: 3 })).toMatchObject({ rows: [rows[1], rows[0]], next: null });
    expect(await page({ entityId: "a", before: 4 })).toMatchObject({
      rows: [rows[2], rows[0]],
      next: null,
    });
    expect(await page({ entity: "user" })).toStrictEqual({ rows: [], next: null });
  });

  test("filters by organisation, entity and its id, and pages", async () => {
    await within((tx) =>
      tx.changes.append([
        change({ entity: "user", entityId: "ada" }),
        change({ entity: "member", entityId: "acme/ada", organizationId: "acme" }),
        change({ entity: "server", entityId: "ada" }),
        change({ entity: "member", entityId: "beta/ada", organizationId: "beta" }),
        change({ entity: "token", entityId: "1", organizationId: "acme" }),
      ]),
    );
    expect(await sequences()).toStrictEqual([5, 4, 3, 2, 1]);
    expect(await sequences({ organizationId: "acme" })).toStrictEqual([5, 2]);
    expect(await sequences({ organizationId: "nobody" })).toStrictEqual([]);
    expect(await sequences({ entity: "member" })).toStrictEqual([4, 2]);
    expect(await sequences({ entityId: "ada" })).toStrictEqual([3, 1]);
    expect(await sequences({ entity: "server", entityId: "ada" })).toStrictEqual([3]);
    expect(await sequences({ organizationId: "acme", entity: "token" })).toStrictEqual([5]);
    expect(await sequences({ limit: 2 })).toStrictEqual([5, 4]);
    expect(await sequences({ limit: 2, before: 4 })).toStrictEqual([3, 2]);
    expect(await sequences({ entity: "member", before: 4 })).toStrictEqual([2]);
  });

  describe("of servers", () => {
    const rows = [
      change({ entityId: "files", timeMs: 10 }),
      change({ entityId: "mail", timeMs: 10 }),
      change({ entityId: "files", timeMs: 20 }),
      change({ entity: "user", entityId: "files", timeMs: 10 }),
      change({ entityId: "files", timeMs: 15, action: "deleted", after: null }),
    ];

    test("gives the newest of each, by the order of writing", async () => {
      await within((tx) => tx.changes.append(rows));
      const latest = await within((tx) => tx.changes.latestOfServers());
      expect(latest.map(({ sequence }) => sequence)).toStrictEqual([5, 2]);
      expect(latest[0]).toStrictEqual({ sequence: 5, ...rows[4] });
    });

    test("purges old ones but the newest of each, and no other entity", async () => {
      await within((tx) => tx.changes.append(rows));
      expect(await within((tx) => tx.changes.purgeServers(10))).toBe(0);
      expect(await within((tx) => tx.changes.purgeServers(20))).toBe(1);
      // What was written since says more than the deletion, whose clock was behind: it stays.
      expect(await sequences()).toStrictEqual([5, 4, 3, 2]);
      expect(await within((tx) => tx.changes.purgeServers(1_000))).toBe(2);
      expect(await sequences()).toStrictEqual([4, 2]);
      expect(await within((tx) => tx.changes.purgeServers(1_000))).toBe(0);
    });

    test("leaves nothing of what there is no more: neither what a row replaced, nor what was deleted", async () => {
      const [secret, present] = [{ command: "a", env: { KEY: "old" } }, { command: "a" }];
      await within((tx) =>
        tx.changes.append([
          change({ entityId: "kept", timeMs: 1, action: "created", after: secret }),
          change({ entityId: "kept", timeMs: 2, before: secret, after: present }),
          change({ entityId: "gone", timeMs: 1, action: "created", after: secret }),
          change({ entityId: "gone", timeMs: 2, action: "deleted", before: secret, after: null }),
          change({ entityId: "later", timeMs: 1, action: "created", after: secret }),
          change({ entityId: "later", timeMs: 3, before: secret, after: present }),
          change({ entityId: "gone later", timeMs: 1, action: "created", after: secret }),
          change({ entityId: "gone later", timeMs: 3, action: "deleted", before: secret }),
        ]),
      );
      const all = await list();
      expect(await within((tx) => tx.changes.purgeServers(3))).toBe(6);
      const left = await list();
      expect(left.map(({ sequence, before }) => [sequence, before])).toStrictEqual([
        [8, secret],
        [6, secret],
        [2, null],
      ]);
      // Nothing else of them is touched.
      const [last, second, kept] = [8, 6, 2].map((wanted) =>
        all.find(({ sequence }) => sequence === wanted),
      );
      expect(left).toStrictEqual([last, second, { ...kept, before: null }]);
      expect((await within((tx) => tx.changes.latestOfServers())).length).toBe(3);
    });

    test("gives no sequence twice, though the newest row of all is purged", async () => {
      await within((tx) => tx.changes.append([change({ action: "deleted", after: null })]));
      expect(await within((tx) => tx.changes.purgeServers(1_001))).toBe(1);
      await within((tx) => tx.changes.append([change({ entity: "purge" })]));
      expect(await sequences()).toStrictEqual([2]);
    });

    test("none: nothing to give, nothing to purge", async () => {
      expect(await within((tx) => tx.changes.latestOfServers())).toStrictEqual([]);
      expect(await within((tx) => tx.changes.purgeServers(1_000))).toBe(0);
    });
  });

  test("a purge forgets what servers offered, whatever became of it since", async () => {
    const tool = { entity: "tool", entityId: "files/read", actor: "server" } as const;
    await within((tx) =>
      tx.changes.append([
        change({ timeMs: 10, entity: "user" }),
        change({ ...tool, timeMs: 10 }),
        change({ ...tool, timeMs: 19, action: "approved" }),
        change({ ...tool, timeMs: 20 }),
      ]),
    );
    expect(await within((tx) => tx.changes.purgeServers(20))).toBe(2);
    expect(await sequences()).toStrictEqual([4, 1]);
  });
});
