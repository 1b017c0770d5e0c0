import { describe, expect, test } from "vitest";
import {
  configurationJsonSchema,
  configurationSchema,
} from "../../src/config/configuration-schema.ts";
import { isJsonObject } from "../../src/core/json.ts";

/** Every object property in the schema, as path and definition. */
function properties(schema: unknown, path = ""): [path: string, definition: object][] {
  if (Array.isArray(schema)) return schema.flatMap((item) => properties(item, path));
  if (!isJsonObject(schema)) return [];
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key !== "properties" || !isJsonObject(value)) return properties(value, path);
    return Object.entries(value).flatMap(([name, definition]): [string, object][] => [
      [`${path}.${name}`, definition as object],
      ...properties(definition, `${path}.${name}`),
    ]);
  });
}

describe("the JSON Schema of the configuration", () => {
  test("describes every key", () => {
    const all = properties(configurationJsonSchema());
    expect(all.map(([path]) => path)).toEqual(
      expect.arrayContaining([".mcpServers", ".mcpServers.command", ".auth.options.tokens.role"]),
    );
    expect(all.filter(([, definition]) => !("description" in definition))).toEqual([]);
  });

  test("is strict, as reading is", () => {
    expect(configurationJsonSchema()).toMatchObject({
      type: "object",
      additionalProperties: false,
    });
    expect(configurationSchema.safeParse({ unknown: 1 }).success).toBe(false);
  });
});
