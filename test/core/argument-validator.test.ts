import { describe, expect, it } from "vitest";
import { compileArgumentCheck } from "../../src/core/argument-validator.ts";
import type { JsonObject } from "../../src/core/json.ts";

const check = (schema: JsonObject, args: JsonObject) => compileArgumentCheck(schema)(args);

const schema: JsonObject = {
  type: "object",
  properties: {
    path: { type: "string" },
    mode: { enum: ["r", "w"] },
    size: { type: "integer", minimum: 1 },
    items: { type: "array", items: { type: "object", properties: { id: { type: "number" } } } },
  },
  required: ["path", "mode"],
  additionalProperties: false,
};

const named = (type: string) => ({
  $id: "https://example.com/same",
  properties: { a: { type } },
});

describe("compileArgumentCheck", () => {
  it("finds nothing wrong with what fits", () => {
    expect(check(schema, { path: "a", mode: "r", size: 3, items: [{ id: 1 }] })).toEqual([]);
  });

  it.each<[string, JsonObject, string[]]>([
    [
      "all that is missing",
      {},
      [
        'Argument "path" is missing: expected string',
        'Argument "mode" is missing: expected one of "r", "w"',
      ],
    ],
    ["a type", { path: 5, mode: "r" }, ['Argument "path" must be string']],
    ["a choice", { path: "a", mode: "x" }, ['Argument "mode" must be one of "r", "w"']],
    ["a limit", { path: "a", mode: "r", size: 0 }, ['Argument "size" must be >= 1']],
    [
      "a place inside",
      { path: "a", mode: "r", items: [{ id: 1 }, { id: "2" }] },
      ['Argument "items[1].id" must be number'],
    ],
    [
      "an unknown argument",
      { path: "a", mode: "r", szie: 1 },
      ['Unknown argument "szie"; did you mean "size"?'],
    ],
  ])("names %s and what was expected", (_what, args, problems) => {
    expect(check(schema, args)).toEqual(problems);
  });

  it("never repeats a value", () => {
    expect(JSON.stringify(check(schema, { path: 1, mode: "hunter2" }))).not.toContain("hunter2");
  });

  it("reads 2020-12 without a dialect, and draft-07 where the schema names it", () => {
    const tuple = { prefixItems: [{ type: "string" }, { type: "number" }] };
    expect(check({ properties: { t: tuple } }, { t: ["a", "b"] })).toHaveLength(1);
    const old = {
      $schema: "http://json-schema.org/draft-07/schema#",
      properties: { t: { items: [{ type: "string" }, { type: "number" }] } },
      definitions: { a: {} },
    };
    expect(check(old, { t: ["a", "b"] })).toHaveLength(1);
    expect(check(old, { t: ["a", 1] })).toEqual([]);
  });

  it.each<[string, JsonObject]>([
    ["a reference that leads out", { $ref: "https://example.com/schema.json" }],
    ["a reference to nothing", { properties: { a: { $ref: "#/$defs/none" } } }],
    ["a schema without end", { $ref: "#" }],
    ["no schema at all", { type: "bananas", properties: 5 }],
    ["an asynchronous one", { $async: true, required: ["a"] }],
  ])("checks nothing by %s", (_what, odd) => {
    expect(check(odd, { b: 1 })).toEqual([]);
  });

  it("never runs a foreign regular expression, and refuses nothing by one", () => {
    const slow = "^(a+)+$";
    const evil = {
      properties: { a: { type: "string", pattern: slow } },
      patternProperties: { [slow]: { type: "number" } },
      additionalProperties: false,
    };
    expect(check(evil, { a: `${"a".repeat(60)}!`, [`${"a".repeat(60)}!`]: "x" })).toEqual([]);
  });

  it("takes schemas that share an $id", () => {
    const [text, number] = [
      compileArgumentCheck(named("string")),
      compileArgumentCheck(named("number")),
    ];
    expect(text({ a: 1 })).toHaveLength(1);
    expect(number({ a: 1 })).toEqual([]);
    expect(number({ a: "x" })).toHaveLength(1);
  });

  it("ignores formats and unknown keywords", () => {
    const odd = { properties: { a: { type: "string", format: "ipv4", "x-odd": [] } }, "x-more": 1 };
    expect(check(odd, { a: "no address" })).toEqual([]);
  });

  it("keeps the list of problems short for a huge wrong value", () => {
    const many = { properties: { a: { type: "array", items: { type: "string" } } } };
    expect(check(many, { a: Array.from({ length: 100_000 }, () => 1) })).toHaveLength(1);
  });
});
