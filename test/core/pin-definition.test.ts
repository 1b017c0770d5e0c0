import { describe, expect, it } from "vitest";
import {
  definedTool,
  instructionsDefinition,
  largestDefinition,
  toolDefinition,
} from "../../src/core/pin-definition.ts";
import type { Json } from "../../src/core/json.ts";
import type { Tool } from "../../src/core/mcp.ts";
import { toolAccess } from "../../src/core/tool-access.ts";

const tool: Tool = { name: "t", inputSchema: { type: "object" } };
const believed = { read: [], write: [], organizations: [], trustHints: true };

/** Deeper than any stack. */
const nest = (innermost: Json): Tool => {
  let schema: Json = innermost;
  for (let depth = 0; depth < 100_000; depth += 1) schema = { a: schema };
  return { ...tool, inputSchema: { a: schema } };
};

describe("toolDefinition", () => {
  it.each(["name", "title", "description", "inputSchema", "outputSchema", "annotations"])(
    "is another one when %s is",
    (member) => {
      const changed = { ...tool, [member]: member === "name" ? "other" : { other: true } };
      expect(toolDefinition(changed).canonical).not.toBe(toolDefinition(tool).canonical);
    },
  );

  it("is the same when only what no model reads is another, or the order", () => {
    const { name, inputSchema } = tool;
    const changed = { _meta: { at: 5 }, icons: [], inputSchema, name };
    expect(toolDefinition(changed)).toStrictEqual(toolDefinition(tool));
  });

  it("keeps nothing of what is too large but its name, its size and what it is decided by", () => {
    const description = "x".repeat(largestDefinition);
    const annotations = { readOnlyHint: true, title: description };
    const { canonical, definition } = toolDefinition({ ...tool, description, annotations });
    expect(definition).toStrictEqual({
      name: "t",
      annotations: { readOnlyHint: true },
      omittedCharacters: canonical.length,
    });
  });

  it("keeps nothing of what nobody could write down, and tells it from another all the same", () => {
    const [one, other] = [toolDefinition(nest(1)), toolDefinition(nest(2))];
    expect(one.definition).toHaveProperty("omittedCharacters");
    expect(one.canonical).not.toBe(other.canonical);
  });

  it.each<[Json, Json]>([
    [true, false],
    [true, null],
    [true, "no"],
    [true, true],
    [false, false],
    ["yes", false],
    [null, null],
  ])("judges a tool of which only that is kept as the whole: %s, %s", (readOnly, destructive) => {
    const whole = {
      ...tool,
      description: "x".repeat(largestDefinition),
      annotations: { readOnlyHint: readOnly, destructiveHint: destructive },
    };
    const kept = definedTool(toolDefinition(whole).definition);
    expect(kept && toolAccess(believed, kept)).toBe(toolAccess(believed, whole));
  });
});

it("takes instructions for no tool", () => {
  expect(definedTool(instructionsDefinition("hello").definition)).toBeUndefined();
});
