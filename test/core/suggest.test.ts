import { expect, it } from "vitest";
import { closest } from "../../src/core/suggest.ts";

const names = ["echo", "get-sum", "get-env", "everything__echo", "read_file", "read_text_file"];

it.each([
  ["ech", "echo"],
  ["ehco", "echo"],
  ["Echo", "echo"],
  ["get-smu", "get-sum"],
  ["read_fil", "read_file"],
  ["read_text-file", "read_text_file"],
  ["everythin__echo", "everything__echo"],
])("takes %s for %s", (word, meant) => {
  expect(closest(word, names)).toBe(meant);
});

it.each(["", "zzz", "completely-different", "e"])("guesses nothing for %j", (word) => {
  expect(closest(word, names)).toBeUndefined();
});

it("finds the one candidate that holds the word at an end", () => {
  expect(closest("everything", ["everything__echo", "other"])).toBe("everything__echo");
  expect(closest("echo", ["a-server__echo", "other"])).toBe("a-server__echo");
  expect(closest("echo", ["a-server__echo", "b-server__echo"])).toBeUndefined();
});

it("is bounded whatever it is asked", () => {
  const long = "x".repeat(100_000);
  expect(closest(long, [`${long}y`, "y"])).toBe(`${long}y`);
});

const long = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => `${index}${"abcdefghij".repeat(7)}`.slice(0, 60));

function* endless(): Generator<string> {
  for (;;) yield "";
}

it("compares a bounded number of candidates, more of them where they are short", () => {
  const wanted = `u__1${"jihgfedcba".repeat(6)}`;
  expect(closest(wanted, [...long(100), `${wanted.slice(0, 60)}x`])).toBe(
    `${wanted.slice(0, 60)}x`,
  );
  expect(closest(wanted, [...long(1_000), `${wanted.slice(0, 60)}x`])).toBeUndefined();
  const short = Array.from({ length: 10_000 }, (_, index) => `tool-${index}`);
  expect(closest("serach", [...short, "search"])).toBe("search");
  expect(closest("serach", endless())).toBeUndefined();
});
