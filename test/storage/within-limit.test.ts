import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { withinLimit } from "../../src/storage/within-limit.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("hands on what the work answers or throws, and leaves no timer", async () => {
  expect(await withinLimit(1000, () => Promise.resolve(5))).toBe(5);
  await expect(withinLimit(1000, () => Promise.reject(new Error("bug")))).rejects.toThrow("bug");
  expect(vi.getTimerCount()).toBe(0);
});

test("fails at the limit, and tells the work that nobody waits", async () => {
  const told: AbortSignal[] = [];
  const failed: unknown[] = [];
  void withinLimit(1000, (giveUp) => {
    told.push(giveUp);
    return new Promise(() => undefined);
  }).catch((error: unknown) => failed.push(error));
  await vi.advanceTimersByTimeAsync(999);
  expect([told[0]?.aborted, failed]).toStrictEqual([false, []]);
  await vi.advanceTimersByTimeAsync(1);
  expect(told[0]?.aborted).toBe(true);
  expect(failed).toStrictEqual([expect.objectContaining({ code: "store_unavailable" })]);
});
