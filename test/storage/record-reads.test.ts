import { randomUUID } from "node:crypto";
import { beforeEach, describe, expect, test } from "vitest";
import type { AuditQuery } from "../../src/core/audit.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Storage } from "../../src/core/storage.ts";
import { pageLimits } from "../../src/storage/sqlite/find-page.ts";
import type { PageLimits } from "../../src/storage/sqlite/find-page.ts";
import { startStorageThread } from "../../src/storage/sqlite/storage-worker.ts";
import { createWorkerStorage } from "../../src/storage/sqlite/worker-storage.ts";
import { auditRows } from "./support/audit-rows.ts";
import { change, event, user } from "./support/rows.ts";
import { useStoragePlace, within } from "./support/storage-place.ts";

const place = useStoragePlace();
/** What the worker was asked to do, in order. */
let asked: ("begin" | "read")[];
beforeEach(() => {
  asked = [];
});

/** A storage whose reads are as small as given. */
async function open(limits: Partial<PageLimits>): Promise<Storage> {
  const { bundle, file, lockFile, logger } = place;
  const start = { file, lockFile, newInstanceId: randomUUID(), nowMs: 0 };
  const worker = await startStorageThread(bundle.url).open(start, () => undefined);
  const watched = {
    ...worker,
    read(...given: Parameters<typeof worker.read>) {
      asked.push("read");
      return worker.read(...given);
    },
    begin() {
      asked.push("begin");
      return worker.begin();
    },
  };
  return createWorkerStorage(watched, logger, { ...pageLimits, ...limits });
}

const fill = (storage: Storage, count: number, changes: Parameters<typeof event>[0] = {}) =>
  within(storage, (tx) =>
    tx.audit.appendAll(
      Array.from({ length: count }, (_, at) => event({ clientName: `${at % 100}`, ...changes })),
    ),
  );
const page = (storage: Storage, query: Partial<AuditQuery> = {}) =>
  storage.auditPage(systemPrincipal, { order: "newest", limit: 1_000, ...query });
const sequencesOf = (rows: readonly { sequence: number }[]): number[] =>
  rows.map(({ sequence }) => sequence);

test("a change is written after one small read at most, however many long ones are under way", async () => {
  const storage = await open({ statementSequences: 10, pageMs: Infinity });
  try {
    await fill(storage, 2_000);
    const pages = Array.from({ length: 20 }, () => page(storage, { clientName: "zzz" }));
    let settled = 0;
    for (const each of pages) void each.then(() => (settled += 1));
    for (let count = 0; count < 10; count += 1) {
      const before = asked.length;
      const written = within(storage, (tx) => tx.users.insert(user({ id: `user-${count}` })));
      await written;
      const reads = asked.slice(before, asked.indexOf("begin", before));
      expect(reads.length).toBeLessThanOrEqual(1);
    }
    expect(settled).toBe(0);
    expect(await Promise.all(pages)).toStrictEqual(pages.map(() => ({ rows: [], next: null })));
    expect(asked.filter((what) => what === "read").length).toBeGreaterThan(20 * 200);
  } finally {
    await storage.close();
  }
});

test("reads go on while transactions never end", async () => {
  const storage = await open({ statementSequences: 100 });
  try {
    await fill(storage, 1_000);
    const reading = { isDone: false };
    const read = page(storage, { clientName: "zzz" }).then(() => (reading.isDone = true));
    const writers = Array.from({ length: 5 }, async (_, writer) => {
      for (let at = 0; !reading.isDone && at < 10_000; at += 1) {
        await within(storage, (tx) => tx.users.insert(user({ id: `user-${writer}-${at}` })));
      }
    });
    await Promise.all([read, ...writers]);
    expect(asked.filter((what) => what === "begin").length).toBeLessThan(100);
  } finally {
    await storage.close();
  }
});

describe.each(["newest", "oldest"] as const)("a page, the %s first", (order) => {
  test("ends where it took too long, has what it found by then, and is gone on from there", async () => {
    const storage = await open({ statementSequences: 30, pageMs: 0 });
    try {
      await fill(storage, 250);
      const found: number[] = [];
      let after: number | undefined;
      let pages = 0;
      do {
        const { rows, next } = await page(storage, { order, clientName: "7", after });
        pages += 1;
        found.push(...sequencesOf(rows));
        after = next ?? undefined;
      } while (after !== undefined);
      expect(found).toStrictEqual(order === "oldest" ? [8, 108, 208] : [208, 108, 8]);
      expect(pages).toBe(9);
    } finally {
      await storage.close();
    }
  });

  test("is bounded by what its rows hold, and has one row at least", async () => {
    const storage = await open({ pageLength: 10_000 });
    try {
      await fill(storage, 5, { params: { text: "x".repeat(4_000) } });
      await fill(storage, 1, { params: { text: "x".repeat(40_000) } });
      await fill(storage, 3, { params: {} });
      const sizes: number[] = [];
      let after: number | undefined;
      do {
        const { rows, next } = await page(storage, { order, after });
        sizes.push(rows.length);
        after = next ?? undefined;
      } while (after !== undefined);
      expect(sizes).toStrictEqual(order === "oldest" ? [2, 2, 1, 1, 3] : [3, 1, 2, 2, 1]);
    } finally {
      await storage.close();
    }
  });

  test("has as many rows as asked for when they are read in many pieces", async () => {
    const storage = await open({ statementSequences: 7, statementRows: 3 });
    try {
      await fill(storage, 100);
      const all = Array.from({ length: 100 }, (_, at) => at + 1);
      const wanted = order === "oldest" ? all : all.toReversed();
      for (const limit of [1, 3, 20, 99, 100, 101]) {
        const { rows, next } = await page(storage, { order, limit });
        expect(sequencesOf(rows)).toStrictEqual(wanted.slice(0, limit));
        expect(next).toBe(limit < 100 ? wanted[limit - 1] : null);
      }
    } finally {
      await storage.close();
    }
  });
});

test("more rows of a time than are looked up in the index are all found", async () => {
  const storage = await open({});
  try {
    for (let part = 0; part < 5; part += 1)
      await fill(storage, 4_000, { timeMs: part, params: {} });
    await fill(storage, 4_000, { timeMs: 10, params: {} });
    const count = async (query: Partial<AuditQuery>): Promise<number> =>
      (await auditRows(storage, query)).length;
    expect(await count({ sinceMs: 0 })).toBe(24_000);
    expect(await count({ sinceMs: 1, clientName: "7" })).toBe(200);
    expect(await count({ untilMs: 4, clientName: "7" })).toBe(160);
    expect(await count({ sinceMs: 2, untilMs: 3 })).toBe(4_000);
    expect(await count({ sinceMs: 11 })).toBe(0);
  } finally {
    await storage.close();
  }
});

test("changes are read in the same way", async () => {
  const storage = await open({ statementSequences: 2, pageLength: 100 });
  try {
    const after = { text: "x".repeat(40) };
    const rows = ["a", "b", "a", "a", "b", "a"].map((entityId) => change({ entityId, after }));
    await within(storage, (tx) => tx.changes.append(rows));
    const ask = async (before?: number) => {
      const query = { entityId: "a", before, limit: 10 };
      const found = await storage.changePage(systemPrincipal, query);
      return [sequencesOf(found.rows), found.next];
    };
    expect(await ask()).toStrictEqual([[6], 6]);
    expect(await ask(6)).toStrictEqual([[4], 4]);
    expect(await ask(4)).toStrictEqual([[3], 3]);
    expect(await ask(2)).toStrictEqual([[1], null]);
    expect(await ask(1)).toStrictEqual([[], null]);
  } finally {
    await storage.close();
  }
});

test("a read sees nothing of a transaction that could not be undone", async () => {
  const { bundle, file, lockFile, logger } = place;
  const start = { file, lockFile, newInstanceId: randomUUID(), nowMs: 0 };
  const worker = await startStorageThread(bundle.url).open(start, () => undefined);
  const broken = { ...worker, rollback: () => Promise.reject(new Error("lost")) };
  const storage = createWorkerStorage(broken, logger);
  try {
    await expect(
      within(storage, async (tx) => {
        await tx.audit.appendAll([event()]);
        throw new Error("in the middle");
      }),
    ).rejects.toThrow("lost");
    expect(await auditRows(storage)).toStrictEqual([]);
  } finally {
    await storage.close();
  }
});
