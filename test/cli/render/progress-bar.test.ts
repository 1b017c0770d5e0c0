import { expect, test } from "vitest";
import { progressBar } from "../../../src/cli/render/progress-bar.ts";

test.each([
  [{ progress: 1, total: 4 }, "t [#####---------------] 25 %"],
  [
    { progress: 9, total: 4, message: "over\nthe top" },
    "t [####################] 100 % over the top",
  ],
  [{ progress: 3 }, "t 3"],
  [{ progress: 3, total: 0, message: "m" }, "t 3 m"],
  [{ progress: Number.NaN, total: 4 }, "t [--------------------] 0 %"],
])("%j", (progress, line) => {
  expect(progressBar("t", progress, 80)).toBe(line);
});

test("fits the terminal", () => {
  const line = progressBar("t", { progress: 1, message: "x".repeat(500) }, 40);
  expect(line.length).toBeLessThan(40);
});
