import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Storage } from "../../src/core/storage.ts";
import { createAuditRetention } from "../../src/storage/audit-retention.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { auditRows } from "./support/audit-rows.ts";
import { event } from "./support/rows.ts";
import { createSilentLogger } from "./support/silent-logger.ts";

const dayMs = 24 * 60 * 60 * 1000;
const hourMs = 60 * 60 * 1000;
let memory: Storage;
let days: number | undefined;
let nowMs: number;
let transactions: number;
let fails: boolean;
let retention: ReturnType<typeof createAuditRetention> | undefined;

const storage: Storage = {
  instanceId: "x",
  withPrincipal(principal, work) {
    transactions += 1;
    return fails ? Promise.reject(new Error("locked")) : memory.withPrincipal(principal, work);
  },
  auditPage: (principal, query) => memory.auditPage(principal, query),
  changePage: (principal, query) => memory.changePage(principal, query),
  close: () => memory.close(),
};

beforeEach(() => {
  vi.useFakeTimers();
  memory = createMemoryStorage();
  days = 30;
  nowMs = 100 * dayMs;
  transactions = 0;
  fails = false;
});
afterEach(() => {
  retention?.close();
  vi.useRealTimers();
});

const start = (): void => {
  retention = createAuditRetention({
    storage,
    now: () => nowMs,
    logger: createSilentLogger(),
    days: () => days,
  });
};
const append = (times: readonly number[]): Promise<void> =>
  memory.withPrincipal(systemPrincipal, (tx) =>
    tx.audit.appendAll(times.map((timeMs) => event({ timeMs }))),
  );
const times = async (): Promise<number[]> => {
  const rows = await auditRows(memory);
  return rows.map(({ timeMs }) => timeMs);
};

test("removes at the start what is older than the days given, to the millisecond", async () => {
  await append([70 * dayMs, 70 * dayMs - 1, 1]);
  start();
  await vi.advanceTimersByTimeAsync(0);
  expect(await times()).toStrictEqual([70 * dayMs]);
});

test("removes many a few at a time, with pauses", async () => {
  await append(Array.from({ length: 1_200 }, (_, at) => at));
  start();
  await vi.advanceTimersByTimeAsync(0);
  expect([transactions, (await times()).length]).toStrictEqual([1, 700]);
  await vi.advanceTimersByTimeAsync(99);
  expect(transactions).toBe(1);
  await vi.advanceTimersByTimeAsync(1);
  expect([transactions, (await times()).length]).toStrictEqual([2, 200]);
  await vi.advanceTimersByTimeAsync(100);
  expect([transactions, (await times()).length]).toStrictEqual([3, 0]);
});

test("looks again every hour, by the days given then", async () => {
  days = undefined;
  await append([1, 80 * dayMs]);
  start();
  await vi.advanceTimersByTimeAsync(0);
  expect([transactions, await times()]).toStrictEqual([0, [1, 80 * dayMs]]);
  days = 30;
  await vi.advanceTimersByTimeAsync(hourMs);
  expect(await times()).toStrictEqual([80 * dayMs]);
  nowMs = 111 * dayMs;
  await vi.advanceTimersByTimeAsync(hourMs);
  expect(await times()).toStrictEqual([]);
});

test("tries again after an hour when the storage fails", async () => {
  await append([1]);
  fails = true;
  start();
  await vi.advanceTimersByTimeAsync(hourMs - 1);
  expect(transactions).toBe(1);
  fails = false;
  await vi.advanceTimersByTimeAsync(1);
  expect(await times()).toStrictEqual([]);
});

test("does nothing more once it is closed", async () => {
  await append(Array.from({ length: 1_200 }, (_, at) => at));
  start();
  retention?.close();
  await vi.advanceTimersByTimeAsync(2 * hourMs);
  expect([transactions, vi.getTimerCount()]).toStrictEqual([1, 0]);
});
