import { expect, test } from "vitest";
import { parameterHeaders } from "../../src/core/parameter-headers.ts";

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
