import { describe, expect, test } from "vitest";
import {
  configurationJsonSchema,
  configurationSchema,
} from "../../src/config/configuration-schema.ts";
import { isJsonObject } from "../../src/core/json.ts";

/** Every object property in the schema, as path and definition. */
function properties(schema: unknown, path = "", found = new Map<string, unknown>()) {
  for (const item of Array.isArray(schema) ? schema : []) properties(item, path, found);
  if (!isJsonObject(schema)) return found;
  for (const [key, value] of Object.entries(schema)) {
    if (key !== "properties" || !isJsonObject(value)) properties(value, path, found);
    else {
      for (const [name, definition] of Object.entries(value)) {
        found.set(`${path}.${name}`, definition);
        properties(definition, `${path}.${name}`, found);
      }
    }
  }
  return found;
}

describe("the JSON Schema of the configuration", () => {
  test("describes every key", () => {
    const all = properties(configurationJsonSchema());
    expect([...all.keys()]).toEqual(
      expect.arrayContaining([".mcpServers", ".mcpServers.command", ".auth.options.tokens.role"]),
    );
    const silent = [...all].filter(
      ([, definition]) => !isJsonObject(definition) || !definition["description"],
    );
    expect(silent).toEqual([]);
  });

  test("is strict, as reading is", () => {
    expect(configurationJsonSchema()).toMatchObject({
      type: "object",
      additionalProperties: false,
    });
    expect(configurationSchema.safeParse({ unknown: 1 }).success).toBe(false);
  });
});
