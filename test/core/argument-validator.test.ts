import { describe, expect, it } from "vitest";
import { compileArgumentCheck } from "../../src/core/argument-validator.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";

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

const items = (length: number): JsonObject => ({ a: Array.from({ length }, () => "no") });

describe("a schema that costs too much checks nothing", () => {
  const wrong = { a: "text" };
  const number = { type: "number" };
  const doubling = (depth: number): JsonObject => ({
    properties: { a: { $ref: "#/$defs/0" } },
    $defs: Object.fromEntries(
      Array.from({ length: depth }, (_, index) => {
        const next = { $ref: `#/$defs/${index + 1}` };
        return [String(index), index === depth - 1 ? number : { allOf: [next, next] }];
      }),
    ),
  });

  it("when every reference doubles the next", () => {
    expect(check(doubling(33), { a: 1 })).toEqual([]);
    expect(check(doubling(33), wrong)).toEqual([]);
    expect(check(doubling(8), wrong)).toEqual(['Argument "a" must be number']);
  });

  it("when each level of the arguments doubles the checks", () => {
    const part = { properties: { next: { $ref: "#/$defs/node" } } };
    const node = { type: "object", allOf: [part, part] };
    const doubled = { properties: { a: { $ref: "#/$defs/node" } }, $defs: { node } };
    const nested = (depth: number): JsonObject =>
      depth === 0 ? { next: 5 } : { next: nested(depth - 1) };
    expect(check(doubled, { a: nested(40) })).toEqual([]);
    expect(check(doubled, { a: nested(3) })).toEqual([
      'Argument "a.next.next.next.next" must be object',
    ]);
  });

  it.each<[string, JsonObject]>([
    [
      "of thousands of properties",
      Object.fromEntries(Array.from({ length: 60_000 }, (_, index) => [`p${index}`, number])),
    ],
    ["of long texts", { b: { description: "x".repeat(300_000) } }],
    [
      "whose one large part is referred to by many names",
      {
        b: {
          anyOf: Array.from({ length: 64 }, (_, index) => ({
            $ref: `#/properties/${"%63".repeat(index)}${"c".repeat(64 - index)}`,
          })),
        },
        ["c".repeat(64)]: { allOf: Array.from({ length: 100 }, () => number) },
      },
    ],
  ])("%s", (_what, more) => {
    expect(check({ properties: { a: number, ...more } }, wrong)).toEqual([]);
  });

  it("when it compares very many items with each other", () => {
    const list = { type: "array", uniqueItems: true, items: { type: "object" } };
    const a = Array.from({ length: 5_000 }, () => 1);
    expect(check({ properties: { a: list } }, { a })).toEqual([]);
    expect(check({ properties: { a: list } }, { a: [1] })).toHaveLength(1);
  });

  it("when very many items each meet very many alternatives", () => {
    const anyOf = Array.from({ length: 1_000 }, (_, index) => ({ const: index }));
    const list = { properties: { a: { type: "array", items: { anyOf } } } };
    expect(check(list, items(5_000))).toEqual([]);
    expect(check(list, items(3))).toHaveLength(1);
    const plain = { properties: { a: { type: "array", items: number } } };
    expect(check(plain, items(5_000))).toHaveLength(1);
  });

  it.each([
    ["an inner $id", { $id: "https://example.com/inner", ...number }],
    ["a dynamic reference", { $dynamicRef: "#a" }],
    ["an anchor", { $ref: "#a" }],
    ["a pointer that is escaped twice", { $ref: "#/%2524defs/n" }],
  ])("by %s, which is not followed", (_what, odd) => {
    const unfollowed = { properties: { a: number, b: odd }, $defs: { n: { $anchor: "a" } } };
    expect(check(unfollowed, wrong)).toEqual([]);
  });
});

describe("an ordinary schema that refers to itself", () => {
  const recursive: JsonObject = {
    properties: { root: { $ref: "#/$defs/node" } },
    $defs: {
      node: {
        type: "object",
        properties: {
          name: { $ref: "#/$defs/name%20of%20it" },
          children: { type: "array", items: { $ref: "#/$defs/node" } },
        },
        required: ["name"],
      },
      "name of it": { type: "string" },
    },
  };
  const tree = (depth: number, leaf: Json): JsonObject => ({
    name: depth === 0 ? leaf : "inner",
    children: depth === 0 ? [] : Array.from({ length: 3 }, () => tree(depth - 1, leaf)),
  });

  it("is checked to its last leaf", () => {
    expect(check(recursive, { root: tree(6, "leaf") })).toEqual([]);
    expect(check(recursive, { root: tree(1, 5) })).toEqual([
      'Argument "root.children[0].name" must be string',
    ]);
  });

  it("is checked as a whole, too", () => {
    const whole = { properties: { name: { type: "string" }, inner: { $ref: "#" } } };
    expect(check(whole, { inner: { inner: { name: 5 } } })).toEqual([
      'Argument "inner.inner.name" must be string',
    ]);
  });
});

it.each<JsonObject>([{}, { type: "object" }, { type: "object", properties: {}, required: [] }])(
  "does not go through the arguments for %j",
  (nothingAsked) => {
    let times = 0;
    const counted = new Proxy<JsonObject>(
      { a: 1 },
      {
        ownKeys: (given) => {
          times += 1;
          return Reflect.ownKeys(given);
        },
      },
    );
    expect(check(nothingAsked, counted)).toEqual([]);
    expect(times).toBe(0);
    check({ ...nothingAsked, properties: { a: { type: "number" } } }, counted);
    expect(times).toBeGreaterThan(0);
  },
);

it("looks at what the schema names in arguments of any number", () => {
  const many = Object.fromEntries(Array.from({ length: 20_000 }, (_, index) => [`k${index}`, 0]));
  const naming = { properties: { a: { $ref: "#/$defs/a" } }, $defs: { a: { type: "string" } } };
  expect(check(naming, { ...many, a: 1 })).toEqual(['Argument "a" must be string']);
  const others = { ...naming, additionalProperties: { $ref: "#/$defs/a" } };
  expect(check(others, many)).toEqual(['Argument "k0" must be string']);
  expect(check({ ...naming, propertyNames: { $ref: "#/$defs/a" } }, { a: "" })).toEqual([]);
});
