import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AuditEvent } from "../../src/core/audit.ts";
import type { Storage } from "../../src/core/storage.ts";
import { createAuditSink } from "../../src/storage/audit-sink.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { RowRefused } from "../../src/storage/row-refused.ts";
import { auditRows } from "./support/audit-rows.ts";
import { event as row } from "./support/rows.ts";
import { createSilentLogger } from "./support/silent-logger.ts";

let memory: Storage;
/** The rows of each transaction asked for, written or not. */
let transactions: number[];
/** How the next transactions end; beyond these they succeed. */
let answers: ("fails" | "hangs" | "is written, but fails")[];
/** A name that the storage does not take. */
let poison: string | undefined;
/** How many rows it has room for. */
let room: number;
/** What a transaction waits for before it writes. */
let gate: () => Promise<void>;
let nowMs: number;
let logger: ReturnType<typeof createSilentLogger>;

const storage: Storage = {
  instanceId: "x",
  async withPrincipal(principal, work) {
    const answer = answers.shift();
    const result = await memory.withPrincipal(principal, (tx) =>
      work({
        ...tx,
        audit: {
          ...tx.audit,
          async appendAll(events) {
            transactions.push(events.length);
            await gate();
            if (answer === "hangs") await new Promise(() => undefined);
            if (answer === "fails" || events.length > room) throw new Error("disk full");
            if (events.some(({ toolName }) => toolName === poison)) throw new RowRefused("poison");
            await tx.audit.appendAll(events);
            room -= events.length;
          },
        },
      }),
    );
    if (answer === "is written, but fails") throw new Error("no answer in time");
    return result;
  },
  auditPage: (principal, query) => memory.auditPage(principal, query),
  changePage: (principal, query) => memory.changePage(principal, query),
  close: () => memory.close(),
};

beforeEach(() => {
  vi.useFakeTimers();
  memory = createMemoryStorage();
  transactions = [];
  answers = [];
  poison = undefined;
  room = Infinity;
  gate = () => Promise.resolve();
  nowMs = 0;
  logger = createSilentLogger();
});
afterEach(() => vi.useRealTimers());

const sink = (maxQueued = 1000, maxQueuedBytes?: number) =>
  createAuditSink({ storage, logger, now: () => nowMs, maxQueued, maxQueuedBytes, batchMs: 50 });
const event = (toolName: string, params: AuditEvent["params"] = {}): AuditEvent =>
  row({ toolName, params });
const written = async (): Promise<string[]> => {
  const rows = await auditRows(memory);
  return rows.map(({ toolName }) => toolName);
};
const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `t${at}`);
const appendAll = (audit: ReturnType<typeof sink>, toolNames: readonly string[]): void => {
  for (const name of toolNames) audit.append(event(name));
};

describe("the audit sink", () => {
  test("writes what came within the time of a batch in one transaction, in order", async () => {
    const audit = sink();
    appendAll(audit, names(3));
    expect([transactions, audit.queued]).toStrictEqual([[], 3]);
    await vi.advanceTimersByTimeAsync(50);
    expect(await written()).toStrictEqual(names(3));
    expect([transactions, audit.queued]).toStrictEqual([[3], 0]);
  });

  test("writes the next batch too, and nothing when nothing came", async () => {
    const audit = sink();
    appendAll(audit, ["a"]);
    await vi.advanceTimersByTimeAsync(1000);
    appendAll(audit, ["b"]);
    await vi.advanceTimersByTimeAsync(50);
    await audit.flush();
    expect(await written()).toStrictEqual(["a", "b"]);
    expect(transactions).toStrictEqual([1, 1]);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("writes every field, as it was when it was handed over", async () => {
    const audit = sink();
    const params = { list: [1, { __proto__: "key" }], text: "\0\uD800" };
    const mine = row({ params: { ...params }, userId: "ada", sessionId: "s", status: "denied" });
    audit.append(mine);
    mine.params["text"] = "changed later";
    await audit.flush();
    const [found] = await auditRows(memory);
    expect(found).toStrictEqual({ ...mine, params, sequence: 1 });
  });

  test("bounds a transaction by rows and by bytes", async () => {
    const audit = sink(2000);
    appendAll(audit, names(450));
    await audit.flush();
    expect(transactions.splice(0)).toStrictEqual([200, 200, 50]);
    for (const name of names(3)) audit.append(event(name, { text: "x".repeat(400_000) }));
    await audit.flush();
    expect(transactions).toStrictEqual([1, 1, 1]);
  });

  test("waits for a batch however fast the storage is", async () => {
    const audit = sink();
    for (const name of names(100)) {
      appendAll(audit, [name]);
      await vi.advanceTimersByTimeAsync(1);
    }
    expect([transactions, await written()]).toStrictEqual([[50, 50], names(100)]);
  });

  test("goes on after a slow write with what came meanwhile, without a timer", async () => {
    const audit = sink();
    let open: (() => void) | undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    gate = () => opened;
    appendAll(audit, ["first"]);
    await vi.advanceTimersByTimeAsync(50);
    appendAll(audit, ["second", "third"]);
    await vi.advanceTimersByTimeAsync(50);
    expect([vi.getTimerCount(), transactions]).toStrictEqual([0, [1]]);
    open?.();
    await vi.advanceTimersByTimeAsync(0);
    expect(await written()).toStrictEqual(["first", "second", "third"]);
    expect(transactions).toStrictEqual([1, 2]);
  });

  test("writes everything at a flush, also what comes while it writes", async () => {
    const audit = sink(2000);
    appendAll(audit, names(1200));
    const flushed = audit.flush();
    appendAll(audit, ["late"]);
    await flushed;
    await audit.flush();
    expect(await written()).toStrictEqual([...names(1200), "late"]);
    expect(audit.dropped).toBe(0);
  });
});

describe("a full queue", () => {
  test("drops and counts what it cannot hold, and says so once in a while", async () => {
    const audit = sink(2);
    appendAll(audit, names(5));
    expect([audit.queued, audit.dropped]).toStrictEqual([2, 3]);
    expect(logger.errors).toStrictEqual(["Audit events are lost"]);
    nowMs += 60_000;
    appendAll(audit, ["more"]);
    expect(logger.errors).toHaveLength(2);
    await audit.flush();
    expect(await written()).toStrictEqual(["t0", "t1"]);
    expect(logger.errors).toHaveLength(2);
  });

  test("is full by bytes too, and takes events again when there is room", async () => {
    const audit = sink(1000, 100_000);
    const large = event("large", { text: "x".repeat(20_000) });
    for (let count = 0; count < 5; count += 1) audit.append({ ...large, id: String(count) });
    expect([audit.queued, audit.dropped]).toStrictEqual([2, 3]);
    appendAll(audit, ["small"]);
    expect(audit.queued).toBe(3);
    await audit.flush();
    audit.append({ ...large, id: "again" });
    audit.append({ ...large, id: "and again" });
    await audit.flush();
    expect(await written()).toStrictEqual(["large", "large", "small", "large", "large"]);
    expect(audit.dropped).toBe(3);
  });

  test.each<[string, (audit: ReturnType<typeof sink>) => Promise<unknown>]>([
    ["when its time has come", () => vi.advanceTimersByTimeAsync(60_000)],
    ["at a flush", (audit) => audit.flush()],
  ])("says also the last of what was dropped, %s", async (_when, wait) => {
    const audit = sink(1);
    appendAll(audit, names(3));
    expect(logger.errors).toHaveLength(1);
    await wait(audit);
    expect(logger.errors).toHaveLength(2);
  });
});

describe("a storage", () => {
  test("that fails for a minute loses nothing: all is written when it works again", async () => {
    const audit = sink();
    appendAll(audit, ["a", "b"]);
    answers = Array.from({ length: 240 }, () => "fails" as const);
    await vi.advanceTimersByTimeAsync(60_000);
    appendAll(audit, ["c"]);
    expect([audit.queued, audit.dropped, await written()]).toStrictEqual([3, 0, []]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await written()).toStrictEqual(["a", "b", "c"]);
    expect([audit.queued, audit.dropped, logger.errors]).toStrictEqual([0, 0, []]);
  });

  test("that has room for some of them has those, in their order, and the others later", async () => {
    const audit = sink();
    room = 37;
    appendAll(audit, names(100));
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await written()).toStrictEqual(names(37));
    expect([audit.queued, audit.dropped]).toStrictEqual([63, 0]);
    room = Infinity;
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await written()).toStrictEqual(names(100));
    expect([audit.queued, audit.dropped, logger.warnings.length]).toStrictEqual([0, 0, 1]);
  });

  test("that wrote, but failed to say so, has each event once", async () => {
    const audit = sink();
    appendAll(audit, ["a", "b"]);
    answers = ["is written, but fails"];
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await written()).toStrictEqual(["a", "b"]);
    expect([audit.queued, audit.dropped]).toStrictEqual([0, 0]);
  });

  test("that does not take one row loses that one, and no other", async () => {
    const audit = sink();
    poison = "t77";
    appendAll(audit, names(150));
    await audit.flush();
    expect(await written()).toStrictEqual(names(150).filter((name) => name !== poison));
    expect([audit.queued, audit.dropped]).toStrictEqual([0, 1]);
    expect(logger.errors).toStrictEqual(["Audit events are lost"]);
  });

  test("is not asked to take what is no JSON, and the caller is not told", () => {
    const audit = sink();
    const params: AuditEvent["params"] = {};
    params["self"] = params;
    audit.append(event("circular", params));
    expect([audit.queued, audit.dropped]).toStrictEqual([0, 1]);
  });

  test("that hangs holds up no append, and the queue keeps its limit", async () => {
    const audit = sink(10);
    answers = ["hangs"];
    appendAll(audit, ["first"]);
    await vi.advanceTimersByTimeAsync(60_000);
    appendAll(audit, names(100));
    expect([audit.queued, audit.dropped, transactions]).toStrictEqual([10, 91, [1]]);
  });

  test.each(["fails", "hangs"] as const)(
    "that %s ends a flush after some seconds; what was to be written is counted as lost",
    async (answer) => {
      const audit = sink();
      answers = Array.from({ length: 100 }, () => answer);
      appendAll(audit, names(500));
      let done = false;
      void audit.flush().finally(() => {
        done = true;
      });
      await vi.advanceTimersByTimeAsync(4_999);
      expect([done, audit.dropped]).toStrictEqual([false, 0]);
      await vi.advanceTimersByTimeAsync(1);
      expect([done, audit.queued, audit.dropped]).toStrictEqual([true, 0, 500]);
      await vi.advanceTimersByTimeAsync(60_000);
      expect(vi.getTimerCount()).toBe(0);
      expect(logger.errors).toStrictEqual(["Audit events are lost"]);
    },
  );

  test("that failed until a flush gave up takes what comes later", async () => {
    const audit = sink();
    answers = Array.from({ length: 100 }, () => "fails" as const);
    appendAll(audit, ["lost"]);
    const flushed = audit.flush();
    await vi.advanceTimersByTimeAsync(5_000);
    await flushed;
    answers = [];
    appendAll(audit, ["kept"]);
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await written()).toStrictEqual(["kept"]);
    expect(audit.dropped).toBe(1);
  });

  test("that answers after a flush gave up on it settles nothing that came later", async () => {
    const audit = sink();
    let open: (() => void) | undefined;
    const opened = new Promise<void>((resolve) => {
      open = resolve;
    });
    gate = () => opened;
    appendAll(audit, ["late", "later"]);
    const flushed = audit.flush();
    await vi.advanceTimersByTimeAsync(5_000);
    await flushed;
    expect([audit.queued, audit.dropped]).toStrictEqual([0, 2]);
    appendAll(audit, names(5));
    open?.();
    await vi.advanceTimersByTimeAsync(0);
    expect([audit.queued, await written()]).toStrictEqual([5, ["late", "later"]]);
    await audit.flush();
    expect(await written()).toStrictEqual(["late", "later", ...names(5)]);
  });

  test("that is slow, but goes on, gets all of it at a flush", async () => {
    const audit = sink(2000);
    appendAll(audit, names(1000));
    gate = () => new Promise((resolve) => setTimeout(resolve, 4_000));
    const flushed = audit.flush();
    await vi.advanceTimersByTimeAsync(5 * 4_000);
    await flushed;
    expect(await written()).toStrictEqual(names(1000));
    expect(audit.dropped).toBe(0);
  });
});
