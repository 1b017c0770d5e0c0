import { describe, expect, it } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import {
  fillMissingText,
  misspeltArguments,
  typeArguments,
} from "../../src/core/tool-arguments.ts";

const schema: JsonObject = {
  type: "object",
  properties: {
    text: { type: "string" },
    count: { type: "integer" },
    ratio: { type: "number" },
    flag: { type: "boolean" },
    nothing: { type: "null" },
    list: { type: "array", items: { type: "string" } },
    map: { type: "object" },
    level: { enum: ["debug", "info", 3, null] },
    fixed: { const: 7 },
    maybe: { type: ["string", "null"] },
    either: { anyOf: [{ type: "string" }, { type: "number" }] },
    numeric: { oneOf: [{ type: "integer" }, { type: "boolean" }] },
    choice: { anyOf: [{ enum: ["a"] }, { type: "integer" }] },
    referred: { $ref: "#/$defs/count" },
    anything: {},
    open: true,
    shaped: { properties: { a: {} } },
  },
  $defs: { count: { type: "integer" }, self: { $ref: "#/$defs/self" } },
};

const typed = (key: string, text: string) => typeArguments(schema, { [key]: text })[key];

/** A property whose type is behind so many references. */
const chain = (length: number): JsonObject => ({
  properties: { a: { $ref: "#/$defs/0" } },
  $defs: Object.fromEntries(
    Array.from({ length }, (_, index): [string, Json] => [
      String(index),
      index === length - 1 ? { type: "integer" } : { $ref: `#/$defs/${index + 1}` },
    ]),
  ),
});

describe("typeArguments", () => {
  it("looks at each part of a schema once, however often it refers to itself", () => {
    const itself = { $ref: "#/properties/a" };
    const anyOf: Json[] = [...Array.from({ length: 12 }, () => itself), { type: "integer" }];
    expect(typeArguments({ properties: { a: { anyOf } } }, { a: "5" })).toEqual({ a: 5 });
  });

  it("gives up on a schema of too many parts, and on nothing before", () => {
    expect(typeArguments(chain(900), { a: "5" })).toEqual({ a: 5 });
    expect(typeArguments(chain(1_100), { a: "5" })).toEqual({ a: "5" });
  });

  it.each([
    ["text", "5", "5"],
    ["text", "null", "null"],
    ["text", "", ""],
    ["text", " a b ", " a b "],
    ["count", "5", 5],
    ["count", "-12", -12],
    ["count", "1e3", 1000],
    ["ratio", "0.5", 0.5],
    ["ratio", "-1e-2", -0.01],
    ["flag", "true", true],
    ["flag", "false", false],
    ["nothing", "null", null],
    ["list", '["a"]', ["a"]],
    ["map", '{"a":{"b":1}}', { a: { b: 1 } }],
    ["level", "debug", "debug"],
    ["level", "3", 3],
    ["level", "null", null],
    ["fixed", "7", 7],
    ["maybe", "x", "x"],
    ["maybe", "null", null],
    ["either", "5", 5],
    ["either", "007", "007"],
    ["either", "1.50", "1.50"],
    ["either", "x", "x"],
    ["numeric", "5", 5],
    ["numeric", "true", true],
    ["choice", "a", "a"],
    ["choice", "4", 4],
    ["referred", "4", 4],
    ["anything", "5", "5"],
    ["open", "5", "5"],
    ["shaped", '{"a":1}', { a: 1 }],
    ["unknown", "5", "5"],
    ["constructor", "5", "5"],
  ])("%s=%s is %j", (key, text, value) => {
    expect(typed(key, text)).toEqual(value);
  });

  it.each([
    ["count", "5.5", "a whole number"],
    ["count", "", "a whole number"],
    ["count", "0x10", "a whole number"],
    ["count", "99999999999999999999", "a whole number"],
    ["ratio", "NaN", "a number"],
    ["ratio", "Infinity", "a number"],
    ["flag", "yes", "true or false"],
    ["list", "a,b", "a JSON array"],
    ["list", "{}", "a JSON array"],
    ["map", "[]", "a JSON object"],
    ["numeric", "x", "a whole number or true or false"],
    ["level", "trace", 'one of "debug", "info", 3, null'],
    ["referred", "x", "a whole number"],
  ])("%s=%s is refused and told to be %s", (key, text, expected) => {
    expect(() => typed(key, text)).toThrowError(
      expect.objectContaining({ code: "usage", message: `Argument "${key}" must be ${expected}` }),
    );
  });

  it("never repeats the value", () => {
    expect(() => typed("count", "hunter2")).not.toThrowError(/hunter2/u);
    expect(() => typed("count", "hunter2")).toThrowError(AppError);
  });

  it("refuses an unknown key where the schema allows no others, with what it may have been", () => {
    const closed = { ...schema, additionalProperties: false };
    expect(() => typeArguments(closed, { txet: "a" })).toThrowError(
      expect.objectContaining({
        code: "usage",
        message: 'Unknown argument "txet"',
        hint: 'Did you mean "text"?',
      }),
    );
    expect(() => typeArguments({ additionalProperties: false }, { a: "b" })).toThrowError(
      expect.objectContaining({ hint: "The tool takes no arguments" }),
    );
  });

  it("types an unknown key by the schema for others", () => {
    expect(typeArguments({ additionalProperties: { type: "integer" } }, { a: "5" })).toEqual({
      a: 5,
    });
  });

  it("keeps a key __proto__ a key", () => {
    const args = typeArguments({}, Object.fromEntries([["__proto__", "x"]]));
    expect(Object.keys(args)).toEqual(["__proto__"]);
    expect(Object.getPrototypeOf(args)).toBe(Object.prototype);
  });

  it("survives schemas that lead nowhere", () => {
    for (const $ref of ["#/$defs/self", "#/nowhere", "https://example.com/x", "#/%E0%A4%A"]) {
      const odd = { ...schema, properties: { a: { $ref } } };
      expect(typeArguments(odd, { a: "5" })).toEqual({ a: "5" });
    }
    expect(typeArguments({ properties: [] }, { a: "5" })).toEqual({ a: "5" });
  });
});

describe("fillMissingText", () => {
  const twoStrings: JsonObject = {
    type: "object",
    properties: { a: { type: "string" }, b: { type: ["string", "null"] }, n: { type: "number" } },
    required: ["a", "b", "n"],
  };

  it("fills the one required string that is missing, whatever else is", () => {
    const given = { a: "x" };
    expect(fillMissingText(twoStrings, given, "text")).toEqual({ a: "x", b: "text" });
    expect(given).toEqual({ a: "x" });
  });

  it("refuses when several are missing, naming them, and when none is", () => {
    expect(() => fillMissingText(twoStrings, {}, "text")).toThrowError(
      expect.objectContaining({ code: "usage", message: expect.stringContaining('"a", "b"') }),
    );
    expect(() => fillMissingText(twoStrings, { a: "", b: "" }, "text")).toThrowError(AppError);
    expect(() => fillMissingText({ required: ["n"] }, {}, "text")).toThrowError(AppError);
    expect(() => fillMissingText({ required: ["toString"] }, {}, "text")).toThrowError(AppError);
  });
});

describe("misspeltArguments", () => {
  const properties: JsonObject = { duration: { type: "number" }, steps: { type: "number" } };

  it("tells what the schema allows without naming it, and what it may have been", () => {
    expect(misspeltArguments({ properties }, { durtion: 1, steps: 2, zzz: 3 })).toEqual([
      'The tool names no argument "durtion"; did you mean "duration"?',
      'The tool names no argument "zzz"',
    ]);
  });

  it.each<JsonObject>([
    { type: "object" },
    { properties, additionalProperties: true },
    { properties, patternProperties: { "^d": {} } },
    { properties, allOf: [{ properties: { durtion: {} } }] },
    { properties, $ref: "#/$defs/more" },
  ])("says nothing where the schema means to take more: %j", (open) => {
    expect(misspeltArguments(open, { durtion: 1 })).toEqual([]);
  });
});
