import { describe, expect, test } from "vitest";
import { pauseAfter } from "../../src/upstream/back-off.ts";

describe("the pause of the back-off", () => {
  const limits = { firstPauseMs: 1000, longestPauseMs: 30_000 };
  test("doubles up to the longest, and chance takes up to half of it away", () => {
    const pauses = [1, 2, 3, 4, 5, 6, 7, 5000].map((failures) => pauseAfter(failures, limits, 0));
    expect(pauses).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
    expect(pauseAfter(3, limits, 0.999_999)).toBe(2000);
    expect(pauseAfter(3, limits, 0.5)).toBe(3000);
  });
});
