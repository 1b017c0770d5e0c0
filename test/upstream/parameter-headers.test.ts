import { describe, expect, test } from "vitest";
import type { Json, JsonObject } from "../../src/core/json.ts";
import { parameterHeaders } from "../../src/upstream/parameter-headers.ts";

const property = (type: string, name: Json): JsonObject => ({ type, "x-mcp-header": name });

describe("arguments as headers", () => {
  const schema: JsonObject = {
    properties: {
      text: property("string", "Text"),
      count: property("integer", "Count"),
      flag: property("boolean", "Flag"),
      ratio: property("number", "Ratio"),
      broken: property("string", "not a token"),
      list: { items: { properties: { inner: property("string", "Inner") } } },
      deep: { properties: { inner: property("string", "Deep") } },
    },
  };

  test("are those the specification allows, encoded where a header cannot carry them", () => {
    expect(
      parameterHeaders(schema, {
        text: " padded",
        count: 7,
        flag: false,
        ratio: 1.5,
        broken: "x",
        list: [{ inner: "x" }],
        deep: { inner: "plain value" },
      }),
    ).toEqual({
      "Mcp-Param-Text": `=?base64?${Buffer.from(" padded").toString("base64")}?=`,
      "Mcp-Param-Count": "7",
      "Mcp-Param-Flag": "false",
      "Mcp-Param-Deep": "plain value",
    });
  });

  test.each([["a\r\nInjected: 1"], ["=?base64?eA==?="], [""]])(
    "%j never stands in a header as it is",
    (text) => {
      expect(parameterHeaders(schema, { text })["Mcp-Param-Text"]).toBe(
        `=?base64?${Buffer.from(text).toString("base64")}?=`,
      );
    },
  );

  test("absent and null arguments have none", () => {
    expect(parameterHeaders(schema, { text: null })).toEqual({});
    expect(parameterHeaders(schema, [])).toEqual({});
  });
});
