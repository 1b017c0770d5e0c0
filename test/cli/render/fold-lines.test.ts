import { expect, test } from "vitest";
import { foldLines } from "../../../src/cli/render/fold-lines.ts";

const folded = (text: string): string =>
  foldLines(text.split(" "))
    .map(({ lines, times }) => `${lines.join("")}${times > 1 ? `*${times}` : ""}`)
    .join(" ");

test.each([
  ["a b c", "abc"],
  ["a a a", "a*3"],
  ["x a b a b a b y", "x ab*3 y"],
  ["a b a b a", "ab*2 a"],
  ["a a b a a b", "a*2 b a*2 b"],
  ["a b a", "aba"],
])("%s", (text, expected) => {
  expect(folded(text)).toBe(expected);
});

test("nothing is nothing, and runs that are too long are left alone", () => {
  expect(foldLines([])).toEqual([]);
  const long = Array.from({ length: 21 }, (_none, index) => String(index));
  expect(foldLines([...long, ...long])).toEqual([{ lines: [...long, ...long], times: 1 }]);
});
