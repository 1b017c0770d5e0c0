import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readArgsOption, readPairs } from "../../../src/cli/calling/given-arguments.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "onedoor-args-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

test("key=value is text for the schema to type, key:=<json> is JSON", () => {
  expect(
    readPairs(["a=1", "b:=1", "c:=[1,{}]", "url=http://x/?a=b:=c", "empty=", "d:=null"]),
  ).toEqual({
    arguments: { b: 1, c: [1, {}], d: null },
    untyped: { a: "1", url: "http://x/?a=b:=c", empty: "" },
  });
});

test("no name is special", () => {
  const { arguments: args, untyped } = readPairs(["__proto__=x", "constructor:=1"]);
  expect(Object.entries(untyped)).toEqual([["__proto__", "x"]]);
  expect(Object.entries(args)).toEqual([["constructor", 1]]);
});

test.each([
  ["word", "is not key=value", "key=value, or key:=<json>"],
  ["=value", "is not key=value", "key=value, or key:=<json>"],
  [":=1", "is not key=value", "key=value, or key:=<json>"],
  ['{"a":1}', "Arguments as JSON come behind --args", "--args '<json>', --args @file, or --args -"],
  ["a:=text", "a:= is not valid JSON", "Behind := stands JSON"],
])("%s is refused", (word, message, hint) => {
  expect(() => readPairs([word])).toThrow(
    expect.objectContaining({
      code: "usage",
      message: expect.stringContaining(message),
      hint: expect.stringContaining(hint),
    }),
  );
});

test("the same key twice is refused", () => {
  expect(() => readPairs(["a=1", "a:=2"])).toThrow(
    expect.objectContaining({ code: "usage", message: "a is given twice" }),
  );
});

test("--args is JSON, a file, or left to stdin", async () => {
  const file = join(folder, "args.json");
  writeFileSync(file, '\ufeff{"b": 2}\n');
  expect(await readArgsOption('{"a": 1}')).toEqual({ a: 1 });
  expect(await readArgsOption(`@${file}`)).toEqual({ b: 2 });
  expect(await readArgsOption("-")).toBeUndefined();
  expect(await readArgsOption(undefined)).toBeUndefined();
});

test.each([
  ['{"token": "sk-secret",}', "--args is not valid JSON: line 1, column 23"],
  ['{\n"a": 1,}', "--args is not valid JSON: line 2, column 8"],
  ['{"a": x}', "--args is not valid JSON"],
  ["", "--args is not valid JSON: it is empty"],
  ["[1]", "--args is JSON, but not an object"],
  ["null", "--args is JSON, but not an object"],
  ["@/nowhere/args.json", "There is no file /nowhere/args.json with the arguments"],
  ["@/dev/zero", "The file /dev/zero is longer than 16 MiB"],
])(
  "--args %j says what is wrong, without repeating it, and what to write",
  async (given, message) => {
    const hint = expect.stringContaining("object");
    await expect(readArgsOption(given)).rejects.toMatchObject({ code: "usage", message, hint });
  },
);
