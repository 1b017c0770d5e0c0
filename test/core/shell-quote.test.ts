import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { quoteForShell } from "../../src/core/shell-quote.ts";

test.each(["everything/echo", "a-b_c.d", "user@host", "a=b", "50%"])(
  "leaves %j as it is",
  (word) => {
    expect(quoteForShell(word)).toBe(word);
  },
);

test.each([
  "",
  "two words",
  "$(reboot)",
  "`id`",
  "it's",
  "a;b",
  "a|b",
  "*",
  "~root",
  "=ls",
  "#comment",
  "!history",
  "a\\b",
  "<x>",
  "{a,b}",
  '"',
])("a shell reads %j back as the same word", (word) => {
  const echoed = execFileSync("/bin/sh", ["-c", `printf %s ${quoteForShell(word)}`]);
  expect(echoed.toString()).toBe(word);
});

test("what a terminal would act on is shown, not sent", () => {
  expect(quoteForShell("a\x1b[2J\nb")).toBe(String.raw`'a\x1b[2J\nb'`);
});
