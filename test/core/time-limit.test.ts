import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { timeLimit } from "../../src/core/time-limit.ts";

function aborted(signal: AbortSignal): Promise<unknown> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(signal.reason);
    else signal.addEventListener("abort", () => resolve(signal.reason), { once: true });
  });
}

test("the time ends it, with a TimeoutError", async () => {
  expect(await aborted(timeLimit(5))).toMatchObject({ name: "TimeoutError" });
});

test("the parent ends it, with its own reason, before or after", async () => {
  const parent = new AbortController();
  const limit = timeLimit(60_000, parent.signal);
  parent.abort("enough");
  expect(await aborted(limit)).toBe("enough");
  expect(timeLimit(60_000, parent.signal).reason).toBe("enough");
});

test("a collection of garbage does not lose it", async () => {
  setFlagsFromString("--expose-gc");
  // Nothing of `globalThis` has to be trusted to hold it: the flag counts for contexts made from now on.
  const collect: () => void = runInNewContext("gc");
  const parent = new AbortController();
  const over = aborted(timeLimit(50, parent.signal));
  collect();
  await Promise.resolve();
  collect();
  expect(await over).toMatchObject({ name: "TimeoutError" });
});
