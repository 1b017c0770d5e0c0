import { expect, test } from "vitest";
import { csvLine } from "../../../src/cli/audit/csv.ts";

test.each([
  ["plain", "plain"],
  ["", ""],
  ["with, comma", '"with, comma"'],
  ['with "quotes"', '"with ""quotes"""'],
  ["two\nlines", '"two\nlines"'],
  ["two\r\nlines", '"two\r\nlines"'],
  ["=1+1", `"'=1+1"`],
  ["+1", `"'+1"`],
  ["-1", `"'-1"`],
  ["@SUM(A1)", `"'@SUM(A1)"`],
  ["\t=1", `"'\t=1"`],
  ["\tplain", `"'\tplain"`],
  ["\rplain", `"'\rplain"`],
  ["\nplain", `"'\nplain"`],
  ["  =1", `"'  =1"`],
  ['"=1', `"'""=1"`],
  ["'=1", `"''=1"`],
  [" \"' =1", `"' ""' =1"`],
  ["\ufeff=1", `"'\ufeff=1"`],
  ["\u00a0@x", `"'\u00a0@x"`],
  ["\u200b+x", `"'\u200b+x"`],
  ["＝1+1", `"'＝1+1"`],
  ["＠x", `"'＠x"`],
  ["a=1", "a=1"],
  ["1-1", "1-1"],
  ['{"a":"=1"}', '"{""a"":""=1""}"'],
])("%j", (cell, written) => {
  expect(csvLine([cell])).toBe(`${written}\r\n`);
});

test("numbers and nothing are no text", () => {
  expect(csvLine([1, null, -1.5, "x"])).toBe("1,,-1.5,x\r\n");
});
