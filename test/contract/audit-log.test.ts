import { expect, test } from "vitest";
import type { AuditQuery } from "../../src/core/audit.ts";
import { matchesGlob } from "../../src/core/name-glob.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import { event } from "../storage/support/rows.ts";
import { describeStorages } from "./describe-storages.ts";

describeStorages((under) => {
  const { within } = under;
  const page = (query: Partial<AuditQuery> = {}) =>
    under.storage.auditPage(systemPrincipal, { order: "newest", limit: 1_000, ...query });
  const list = async (query?: Partial<AuditQuery>) => (await page(query)).rows;
  const next = async (query: Partial<AuditQuery>) => (await page(query)).next;
  const sequences = async (query: Partial<AuditQuery> = {}): Promise<number[]> =>
    (await list(query)).map(({ sequence }) => sequence);

  test("gives back every field as it was, nulls included, by the order of writing", async () => {
    const first = event({ timeMs: 30 });
    const second = event({
      timeMs: 20,
      status: "denied",
      userId: "ada",
      organizationId: "o",
      projectId: "p",
      sessionId: "s",
      clientName: "cursor",
      durationMs: 0,
      params: {},
    });
    await within((tx) => tx.audit.appendAll([first]));
    await within((tx) => tx.audit.appendAll([second]));
    const rows = [
      { sequence: 1, ...first },
      { sequence: 2, ...second },
    ];
    expect(await list({ order: "oldest" })).toStrictEqual(rows);
    expect(await list()).toStrictEqual(rows.toReversed());
  });

  test("takes an empty batch, and an event that is there already once", async () => {
    await within((tx) => tx.audit.appendAll([]));
    const [first, second, third] = [event(), event(), event()];
    await within((tx) => tx.audit.appendAll([first, second, first]));
    await within((tx) => tx.audit.appendAll([{ ...second, toolName: "changed" }, third]));
    const rows = await list({ order: "oldest" });
    expect(rows).toMatchObject([first, second, third]);
  });

  test("pages through all rows once, in both orders, while rows are written", async () => {
    await within((tx) => tx.audit.appendAll(Array.from({ length: 7 }, () => event())));
    const pages = async (order: AuditQuery["order"]): Promise<number[][]> => {
      const found: number[][] = [];
      let after: number | undefined;
      do {
        const some = await sequences({ order, limit: 3, after });
        found.push(some);
        after = some.at(-1);
        if (found.length === 1) await within((tx) => tx.audit.appendAll([event()]));
      } while (after !== undefined);
      return found;
    };
    expect(await pages("newest")).toStrictEqual([[7, 6, 5], [4, 3, 2], [1], []]);
    expect(await pages("oldest")).toStrictEqual([[1, 2, 3], [4, 5, 6], [7, 8, 9], []]);
  });

  test("says where the next page begins, and that there is none", async () => {
    await within((tx) =>
      tx.audit.appendAll(
        ["a", "b", "a", "b", "a"].map((clientName) => event({ clientName, params: {} })),
      ),
    );
    expect(await next({ limit: 4 })).toBe(2);
    expect(await next({ limit: 4, order: "oldest" })).toBe(4);
    expect(await next({ limit: 5 })).toBeNull();
    expect(await next({ limit: 2, clientName: "a" })).toBe(3);
    expect(await next({ limit: 2, clientName: "b" })).toBeNull();
    expect(await next({ limit: 2, after: 3 })).toBeNull();
    expect(await next({ limit: 2, after: 1, order: "oldest" })).toBe(3);
    expect(await next({ limit: 2, after: 5, order: "oldest" })).toBeNull();
    expect(await next({ clientName: "c" })).toBeNull();
  });

  test("filters by each field, and by all at once", async () => {
    const full = {
      status: "denied",
      userId: "ada",
      organizationId: "acme",
      projectId: "p1",
      sessionId: "s1",
      clientName: "cursor",
    } as const;
    const fields = Object.entries(full);
    await within((tx) =>
      tx.audit.appendAll([
        event(full),
        ...fields.map(([field, value]) => event({ [field]: value })),
        event(),
      ]),
    );
    for (const [index, [field, value]] of fields.entries()) {
      expect([field, await sequences({ [field]: value })]).toStrictEqual([field, [index + 2, 1]]);
      expect(await sequences({ [field]: "nobody" })).toStrictEqual([]);
    }
    expect(await sequences({ ...full, toolName: "everything__*" })).toStrictEqual([1]);
    expect(await sequences({ ...full, order: "oldest", after: 1 })).toStrictEqual([]);
    expect(await sequences({ userId: "ADA" })).toStrictEqual([]);
  });

  test("filters by time: from inclusive, until exclusive, also where times and writing differ", async () => {
    const times = [50, 10, 40, 20, 30, 20];
    await within((tx) => tx.audit.appendAll(times.map((timeMs) => event({ timeMs }))));
    expect(await sequences({ sinceMs: 20 })).toStrictEqual([6, 5, 4, 3, 1]);
    expect(await sequences({ untilMs: 40 })).toStrictEqual([6, 5, 4, 2]);
    expect(await sequences({ sinceMs: 20, untilMs: 40 })).toStrictEqual([6, 5, 4]);
    expect(await sequences({ sinceMs: 20, untilMs: 40, order: "oldest" })).toStrictEqual([4, 5, 6]);
    expect(await sequences({ sinceMs: 20, untilMs: 40, after: 6 })).toStrictEqual([5, 4]);
    expect(await sequences({ sinceMs: 20, untilMs: 40, limit: 1 })).toStrictEqual([6]);
    expect(await sequences({ sinceMs: 60 })).toStrictEqual([]);
    expect(await sequences({ untilMs: 10 })).toStrictEqual([]);
    expect(await sequences({ sinceMs: 40, untilMs: 20 })).toStrictEqual([]);
  });

  test("matches names of tools as the program does elsewhere", async () => {
    const names = [
      "files__read",
      "files__read_all",
      "FILES__READ",
      "files[1]",
      "files1",
      "a]b",
      "a-b",
      "^x",
      "100%_sure",
      "\\*",
      "日本語",
      "",
    ];
    const patterns = [
      ...names,
      "files__*",
      "*read*",
      "files__r??d",
      "?",
      "*",
      "**",
      "[a-z]*",
      "files[1]",
      "files[[]1]",
      "[^x]",
      "a[-]b",
      "*]*",
      "\\*",
      "*\\**",
      "100%*",
      "%",
      "日?語",
      `${"*a".repeat(30)}b`,
    ];
    await within((tx) => tx.audit.appendAll(names.map((toolName) => event({ toolName }))));
    for (const pattern of patterns) {
      const found = await list({ order: "oldest", toolName: pattern });
      expect([pattern, found.map(({ toolName }) => toolName)]).toStrictEqual([
        pattern,
        names.filter((name) => matchesGlob(pattern, name)),
      ]);
    }
  });

  test("prunes the oldest before a time, so many at once, and never gives a sequence again", async () => {
    const times = [30, 10, 20, 40, 10];
    await within((tx) => tx.audit.appendAll(times.map((timeMs) => event({ timeMs }))));
    const prune = (beforeMs: number, limit: number) =>
      within((tx) => tx.audit.prune(beforeMs, limit));
    expect(await prune(10, 100)).toBe(0);
    expect(await prune(40, 3)).toBe(3);
    expect(await sequences()).toStrictEqual([4, 1]);
    expect(await prune(40, 3)).toBe(1);
    expect(await prune(40, 3)).toBe(0);
    expect(await prune(1_000, 100)).toBe(1);
    expect(await sequences()).toStrictEqual([]);
    await within((tx) => tx.audit.appendAll([event()]));
    expect(await sequences({ order: "oldest", after: 5 })).toStrictEqual([6]);
  });
});
