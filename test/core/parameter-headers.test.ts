import { expect, test } from "vitest";
import type { JsonObject } from "../../src/core/json.ts";
import { headerDeclarationFault, parameterHeaders } from "../../src/core/parameter-headers.ts";

const schema = {
  type: "object",
  properties: {
    region: { type: "string", "x-mcp-header": "Region" },
    count: { type: "integer", "x-mcp-header": "Count" },
    dry: { type: "boolean", "x-mcp-header": "Dry" },
    ratio: { type: "number", "x-mcp-header": "Ratio" },
    bad: { type: "string", "x-mcp-header": "no header\r\n" },
    deep: { type: "object", properties: { key: { type: "string", "x-mcp-header": "Key" } } },
  },
};

test("repeats what the schema declares, at any depth", () => {
  const args = { region: "eu", count: 3, dry: true, ratio: 0.5, bad: "x", deep: { key: "k" } };
  expect(parameterHeaders(schema, args)).toEqual({
    "Mcp-Param-Region": "eu",
    "Mcp-Param-Count": "3",
    "Mcp-Param-Dry": "true",
    "Mcp-Param-Key": "k",
  });
});

test("a property within a list declares nothing", () => {
  const items = {
    type: "object",
    properties: { inner: { type: "string", "x-mcp-header": "Inner" } },
  };
  const inList = { type: "object", properties: { list: { type: "array", items } } };
  expect(parameterHeaders(inList, { list: [{ inner: "x" }] })).toEqual({});
});

test("leaves out what is not given or of another type", () => {
  expect(parameterHeaders(schema, { region: null, count: 1.5 })).toEqual({});
});

test.each(["grüße", " padded ", "two\r\nInjected: 1", "", "=?base64?eA==?="])(
  "a header carries %j as base64",
  (region) => {
    const encoded = Buffer.from(region).toString("base64");
    expect(parameterHeaders(schema, { region })).toEqual({
      "Mcp-Param-Region": `=?base64?${encoded}?=`,
    });
  },
);

const declared = (property: JsonObject): JsonObject => ({
  type: "object",
  properties: { a: property },
});

test("declarations in order have no fault, at any depth of properties", () => {
  const deep = declared(declared({ type: "integer", "x-mcp-header": "Deep" }));
  expect(headerDeclarationFault(deep)).toBeUndefined();
  expect(headerDeclarationFault({ type: "object", default: { "x-mcp-header": "" } })).toBe(
    undefined,
  );
});

test.each<[string, JsonObject]>([
  ["empty", { type: "string", "x-mcp-header": "" }],
  ["no text", { type: "string", "x-mcp-header": null }],
  ["with a space", { type: "string", "x-mcp-header": "My Region" }],
  ["with a colon", { type: "string", "x-mcp-header": "A:B" }],
  ["with a control character", { type: "string", "x-mcp-header": "A\t1" }],
  ["outside ASCII", { type: "string", "x-mcp-header": "Région" }],
  ["on an object", { type: "object", "x-mcp-header": "A" }],
  ["on an array", { type: "array", "x-mcp-header": "A" }],
  ["on null", { type: "null", "x-mcp-header": "A" }],
  ["on a number", { type: "number", "x-mcp-header": "A" }],
  ["on several types", { type: ["string", "null"], "x-mcp-header": "A" }],
  ["on no type", { "x-mcp-header": "A" }],
  ["in a list", { type: "array", items: { type: "string", "x-mcp-header": "A" } }],
  ["in a branch", { oneOf: [declared({ type: "string", "x-mcp-header": "A" })] }],
  ["in a definition", { $defs: { b: { type: "string", "x-mcp-header": "A" } } }],
])("a declaration %s is a fault", (_what, property) => {
  expect(headerDeclarationFault(declared(property))).toMatch(/^its x-mcp-header /u);
});

test("a name that stands twice, in whatever case, is a fault; so is one on the whole", () => {
  const twice = {
    type: "object",
    properties: {
      a: { type: "string", "x-mcp-header": "MyField" },
      b: { type: "string", "x-mcp-header": "myfield" },
    },
  };
  expect(headerDeclarationFault(twice)).toContain("twice");
  expect(headerDeclarationFault({ type: "string", "x-mcp-header": "A" })).toBeDefined();
});
