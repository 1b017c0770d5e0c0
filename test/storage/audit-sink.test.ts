import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { AuditEvent } from "../../src/core/audit.ts";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Storage } from "../../src/core/storage.ts";
import { createAuditSink } from "../../src/storage/audit-sink.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { createSilentLogger } from "./support/silent-logger.ts";

let memory: Storage;
let transactions: number;
let refusals: number;
let nowMs: number;
let logger: ReturnType<typeof createSilentLogger>;

/** The memory storage, counting transactions and refusing as many as `refusals` says. */
const storage: Storage = {
  instanceId: "x",
  withPrincipal(principal, work) {
    transactions += 1;
    if (refusals > 0) {
      refusals -= 1;
      return Promise.reject(new Error("disk full"));
    }
    return memory.withPrincipal(principal, work);
  },
  close: () => memory.close(),
};

beforeEach(() => {
  vi.useFakeTimers();
  memory = createMemoryStorage();
  transactions = 0;
  refusals = 0;
  nowMs = 0;
  logger = createSilentLogger();
});
afterEach(() => vi.useRealTimers());

const sink = (maxQueued = 1000) =>
  createAuditSink({ storage, logger, now: () => nowMs, maxQueued, batchMs: 100 });

const event = (toolName: string): AuditEvent => ({
  id: randomUUID(),
  timeMs: 0,
  toolName,
  params: {},
  status: "success",
  durationMs: 0,
  userId: null,
  organizationId: null,
  projectId: null,
  sessionId: null,
  clientName: "unknown",
});

const written = async (): Promise<string[]> => {
  const rows = await memory.withPrincipal(systemPrincipal, (tx) =>
    tx.audit.list({ limit: 10_000 }),
  );
  return rows.map(({ toolName }) => toolName).toReversed();
};
const names = (count: number): string[] => Array.from({ length: count }, (_, at) => `t${at}`);

describe("the audit sink", () => {
  test("writes what came within the time of a batch in one transaction, in order", async () => {
    const audit = sink();
    for (const name of names(3)) {
      audit.append(event(name));
    }
    expect(transactions).toBe(0);
    await vi.advanceTimersByTimeAsync(100);
    expect(await written()).toStrictEqual(names(3));
    expect(transactions).toBe(1);
  });

  test("writes the next batch too, and nothing when nothing came", async () => {
    const audit = sink();
    audit.append(event("a"));
    await vi.advanceTimersByTimeAsync(1000);
    audit.append(event("b"));
    await vi.advanceTimersByTimeAsync(100);
    expect(await written()).toStrictEqual(["a", "b"]);
    await audit.flush();
    expect(transactions).toBe(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  test("writes everything at a flush, also what comes while it writes", async () => {
    const audit = sink(2000);
    for (const name of names(1200)) {
      audit.append(event(name));
    }
    const flushed = audit.flush();
    audit.append(event("late"));
    await flushed;
    await audit.flush();
    expect(await written()).toStrictEqual([...names(1200), "late"]);
    expect(audit.dropped).toBe(0);
  });

  test("drops and counts what the queue cannot hold, and says so once in a while", async () => {
    const audit = sink(2);
    for (const name of names(5)) {
      audit.append(event(name));
    }
    expect(audit.dropped).toBe(3);
    expect(logger.errors).toStrictEqual(["Audit events are lost"]);
    nowMs += 60_000;
    audit.append(event("more"));
    expect(logger.errors).toHaveLength(2);
    await audit.flush();
    expect(await written()).toStrictEqual(["t0", "t1"]);
    expect(logger.errors).toHaveLength(2);
  });

  test.each<[string, (audit: ReturnType<typeof sink>) => Promise<unknown>]>([
    ["when its time has come", () => vi.advanceTimersByTimeAsync(60_000)],
    ["at a flush", (audit) => audit.flush()],
  ])("says also the last of what was dropped, %s", async (_when, wait) => {
    const audit = sink(1);
    for (const name of names(3)) {
      audit.append(event(name));
    }
    expect(logger.errors).toHaveLength(1);
    await wait(audit);
    expect(logger.errors).toHaveLength(2);
  });

  test("tries a batch three times with pauses, then gives it up without throwing, and goes on", async () => {
    const audit = sink();
    audit.append(event("survives"));
    refusals = 2;
    const flushed = audit.flush();
    await vi.advanceTimersByTimeAsync(249);
    expect(transactions).toBe(1);
    await vi.advanceTimersByTimeAsync(251);
    await flushed;
    expect(await written()).toStrictEqual(["survives"]);
    expect(audit.dropped).toBe(0);

    audit.append(event("lost"));
    refusals = 3;
    await vi.advanceTimersByTimeAsync(1000);
    expect(audit.dropped).toBe(1);
    expect(logger.errors).toStrictEqual(["Audit events are lost"]);

    audit.append(event("next"));
    await audit.flush();
    expect(await written()).toStrictEqual(["survives", "next"]);
  });

  test("does not pause for every batch of a storage that has failed, until one succeeds", async () => {
    const audit = sink(10_000);
    for (const name of names(5000)) {
      audit.append(event(name));
    }
    refusals = 3 + 9;
    const flushed = audit.flush();
    await vi.advanceTimersByTimeAsync(500);
    await flushed;
    expect(audit.dropped).toBe(5000);
    expect(transactions).toBe(12);

    audit.append(event("one"));
    await audit.flush();
    audit.append(event("two"));
    refusals = 1;
    await vi.advanceTimersByTimeAsync(1000);
    expect(await written()).toStrictEqual(["one", "two"]);
  });
});
