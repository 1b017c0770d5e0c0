import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { createReopening } from "../../src/mcp-client/reopening.ts";
import type { Reopening } from "../../src/mcp-client/reopening.ts";

beforeEach(() => {
  vi.useFakeTimers();
});
afterEach(() => {
  vi.useRealTimers();
});

const timings = { firstMs: 100, longestMs: 300, mostFailures: 2 };
const signal = new AbortController().signal;

/** How long the next pause takes, in milliseconds. */
async function pauseOf(reopening: Reopening): Promise<number> {
  const startMs = Date.now();
  const pause = reopening.pause(signal);
  await vi.advanceTimersToNextTimerAsync();
  await pause;
  return Date.now() - startMs;
}

test("pauses grow up to the longest, and begin anew when something came", async () => {
  const reopening = createReopening(timings);
  const pauses: number[] = [];
  for (let n = 0; n < 5; n++) pauses.push(await pauseOf(reopening));
  expect(pauses).toEqual([100, 150, 225, 300, 300]);
  reopening.heard();
  expect(await pauseOf(reopening)).toBe(100);
});

test.each([
  [500, [500, 500]],
  [20, [20, 150]],
  [0, [10, 150]],
  [1e12, [3_600_000, 3_600_000]],
])("a pause of %i ms that the server named is kept to", async (named, expected) => {
  const reopening = createReopening(timings);
  reopening.named(named);
  expect([await pauseOf(reopening), await pauseOf(reopening)]).toEqual(expected);
});

test("one that is opened again and again gets a pause, whatever comes and is named", async () => {
  const reopening = createReopening(timings);
  reopening.named(0);
  const pauses: number[] = [];
  for (let n = 0; n < 13; n++) {
    reopening.heard();
    pauses.push(await pauseOf(reopening));
  }
  expect(pauses).toEqual([...Array<number>(10).fill(10), 1000, 1000, 1000]);
  await vi.advanceTimersByTimeAsync(60_000);
  reopening.heard();
  expect(await pauseOf(reopening)).toBe(10);
});

test("failures in a row exhaust it; what comes in between counts", () => {
  const reopening = createReopening(timings);
  reopening.failed();
  reopening.heard();
  reopening.failed();
  expect(reopening.exhausted).toBe(false);
  reopening.failed();
  expect(reopening.exhausted).toBe(true);
});

test("an abort ends the pause", async () => {
  const reopening = createReopening(timings);
  const controller = new AbortController();
  const pause = reopening.pause(controller.signal);
  controller.abort();
  await pause;
  await reopening.pause(controller.signal);
  expect(vi.getTimerCount()).toBe(0);
});
