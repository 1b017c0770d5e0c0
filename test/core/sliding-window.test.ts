import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { createSlidingWindows } from "../../src/core/sliding-window.ts";
import type { SlidingWindows } from "../../src/core/sliding-window.ts";

const windowMs = 60_000;

/** The simplest thing that is right: every call that was counted, ever, and a look at all of them. */
function createModel() {
  const all = new Map<string, number[]>();
  const timesOf = (key: string): number[] => all.get(key) ?? [];
  const mayAt = (key: string, limit: number, atMs: number): boolean =>
    timesOf(key).filter((time) => time > atMs - windowMs && time <= atMs).length < limit;
  return {
    mayAt,
    count(key: string, atMs: number): void {
      all.set(key, [...timesOf(key), atMs]);
    },
  };
}

type Step =
  | { kind: "advance"; byMs: number }
  | { kind: "call"; user: number }
  | { kind: "limit"; to: number };

const limits = fc.oneof(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 100 }));
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("call"), user: fc.nat({ max: 3 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("advance"),
      // Often to the very moment something leaves, and the one before.
      byMs: fc.oneof(
        fc.integer({ min: 0, max: 90_000 }),
        fc.integer({ min: 0, max: 3 }),
        fc.constantFrom(windowMs - 1, windowMs, windowMs / 2),
      ),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("limit"), to: limits }) },
);

/** What the windows said of each call, and what the model says of it: the same, or the windows are wrong. */
function playBoth(firstLimit: number, steps: readonly Step[]) {
  const windows = createSlidingWindows({ windowMs, mostKeys: 100 });
  const model = createModel();
  const said: string[] = [];
  const modelled: string[] = [];
  let now = 1_000;
  let limit = firstLimit;
  for (const each of steps) {
    if (each.kind === "advance") now += each.byMs;
    if (each.kind === "limit") limit = each.to;
    if (each.kind !== "call") continue;
    const key = `user-${each.user}`;
    const waitMs = windows.take(key, limit, now);
    said.push(waitMs === undefined ? "passes" : "waits");
    modelled.push(model.mayAt(key, limit, now) ? "passes" : "waits");
    if (waitMs === undefined) model.count(key, now);
    else {
      said.push("not before", "then");
      modelled.push(
        waitMs >= 1 && model.mayAt(key, limit, now + waitMs - 1) ? "before" : "not before",
        model.mayAt(key, limit, now + waitMs) ? "then" : "not even then",
      );
    }
  }
  return { said, modelled };
}

/** How many of so many takes at one moment pass. */
function passing(windows: SlidingWindows, takes: number, limit: number, nowMs: number): number {
  let passed = 0;
  for (let take = 0; take < takes; take += 1) {
    if (windows.take("a", limit, nowMs) === undefined) passed += 1;
  }
  return passed;
}

describe("a sliding window", () => {
  test("lets through what a list of all calls would, and says when it would", () => {
    fc.assert(
      fc.property(limits, fc.array(step, { maxLength: 300, size: "max" }), (firstLimit, steps) => {
        const { said, modelled } = playBoth(firstLimit, steps);
        expect(said).toEqual(modelled);
      }),
      { numRuns: 400 },
    );
  });

  test("of one lets one through in each 60 seconds", () => {
    const windows = createSlidingWindows({ windowMs, mostKeys: 10 });
    expect(windows.take("a", 1, 0)).toBeUndefined();
    expect(windows.take("a", 1, 0)).toBe(60_000);
    expect(windows.take("a", 1, 59_999)).toBe(1);
    expect(windows.take("b", 1, 59_999)).toBeUndefined();
    expect(windows.take("a", 1, 60_000)).toBeUndefined();
    expect(windows.take("a", 1, 60_000)).toBe(60_000);
  });

  test("of a hundred thousand is as exact, while the clock stands still as well", () => {
    const windows = createSlidingWindows({ windowMs, mostKeys: 10 });
    const many = 100_000;
    expect(passing(windows, many + 5, many, 500)).toBe(many);
    expect(windows.take("a", many, 500)).toBe(windowMs);
    expect(windows.take("a", many, 500 + windowMs - 1)).toBe(1);
    expect(passing(windows, many + 5, many, 500 + windowMs)).toBe(many);
    expect(windows.take("a", many, 500 + windowMs)).toBe(windowMs);
  });

  test("takes a clock that goes back as one that stands still", () => {
    const windows = createSlidingWindows({ windowMs, mostKeys: 10 });
    expect(windows.take("a", 2, 100_000)).toBeUndefined();
    expect(windows.take("a", 2, 10)).toBeUndefined();
    expect(windows.take("a", 2, 10)).toBe(windowMs);
    expect(windows.take("a", 2, 160_000)).toBeUndefined();
  });

  test("forgets a hundred thousand users who fell silent, some with each call of another", () => {
    const users = 100_000;
    const windows = createSlidingWindows({ windowMs, mostKeys: 2 * users });
    for (let user = 0; user < users; user += 1) windows.take(`user-${user}`, 5, user / users);
    expect(windows.size).toBe(users);
    let calls = 0;
    let before = windows.size;
    let mostAtOnce = 0;
    while (windows.size > 1 && calls < users) {
      windows.take("other", users, windowMs + 1);
      calls += 1;
      mostAtOnce = Math.max(mostAtOnce, before - windows.size);
      before = windows.size;
    }
    expect(calls).toBeLessThan(users / 10);
    // Never many at once: somebody waits for this call.
    expect(mostAtOnce).toBeLessThanOrEqual(16);
  });

  test("beyond its most keys forgets the one counted least recently; a refusal is no count", () => {
    const windows = createSlidingWindows({ windowMs, mostKeys: 3 });
    for (const [at, key] of ["a", "b", "c"].entries()) windows.take(key, 2, at);
    expect(windows.take("a", 2, 3)).toBeUndefined();
    expect(windows.take("b", 1, 4)).toBeGreaterThan(0);
    expect(windows.take("d", 1, 5)).toBeUndefined();
    expect(windows.size).toBe(3);
    expect(windows.take("c", 1, 6)).toBeGreaterThan(0);
    expect(windows.take("a", 2, 6)).toBeGreaterThan(0);
    expect(windows.take("b", 1, 6)).toBeUndefined();
    expect(windows.size).toBe(3);
  });

  test("remembers no more keys than it may, whoever comes", () => {
    const windows = createSlidingWindows({ windowMs, mostKeys: 100_000 });
    for (let user = 0; user < 150_000; user += 1) windows.take(`user-${user}`, 1, 0);
    expect(windows.size).toBe(100_000);
  });
});
