import { expect, test } from "vitest";
import { matchesGlob } from "../../src/core/name-glob.ts";

test.each([
  ["", ""],
  ["*", ""],
  ["*", "anything at all"],
  ["read_*", "read_"],
  ["read_*", "read_file"],
  ["*_file", "read_file"],
  ["r*_f*e", "read_file"],
  ["*a*b*", "xxaxxbxx"],
  ["**", "x"],
  ["get?", "get1"],
  ["?*?", "ab"],
  ["*aab", "aaaab"],
  ["a.b(c)[d]{e}+^$|\\", "a.b(c)[d]{e}+^$|\\"],
  ["*", "line\nbreak"],
  ["?", "*"],
])("%j fits %j", (pattern, name) => {
  expect(matchesGlob(pattern, name)).toBe(true);
});

test.each([
  ["", "x"],
  ["x", ""],
  ["?", ""],
  ["?", "ab"],
  ["read_*", "Read_file"],
  ["READ_*", "read_file"],
  ["read", "read_file"],
  ["file", "read_file"],
  ["*_file", "read_files"],
  ["a.c", "abc"],
  ["a+", "aa"],
  ["[ab]", "a"],
  ["get??", "get1"],
  ["a*b*c", "a-c-b"],
])("%j does not fit %j", (pattern, name) => {
  expect(matchesGlob(pattern, name)).toBe(false);
});

/** As the doc comment says it, without thought for time. */
function fits(pattern: string, name: string): boolean {
  if (pattern === "") return name === "";
  if (pattern.startsWith("*")) {
    return fits(pattern.slice(1), name) || (name !== "" && fits(pattern, name.slice(1)));
  }
  return (
    name !== "" &&
    (pattern.startsWith("?") || pattern[0] === name[0]) &&
    fits(pattern.slice(1), name.slice(1))
  );
}

function words(letters: string, longest: number): string[] {
  const all = [""];
  for (let length = 0, from = 0; length < longest; length++) {
    const to = all.length;
    for (; from < to; from++)
      all.push(...letters.split("").map((letter) => `${all[from] ?? ""}${letter}`));
  }
  return all;
}

test("every short pattern on every short name is as the definition has it", () => {
  const names = words("ab", 5);
  const different = words("ab*?", 4).flatMap((pattern) =>
    names
      .filter((name) => matchesGlob(pattern, name) !== fits(pattern, name))
      .map((name) => [pattern, name]),
  );
  expect(different).toEqual([]);
});

test("a pattern made to be slow is answered all the same", () => {
  expect(matchesGlob(`${"a*".repeat(200)}b`, "a".repeat(5_000))).toBe(false);
  expect(matchesGlob(`${"*a".repeat(200)}*b`, "a".repeat(5_000))).toBe(false);
});
