import { canonicalJson } from "./canonical-json.ts";
import { isJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";
import { isTool } from "./mcp.ts";
import type { Tool } from "./mcp.ts";
import { unpinnedMembers } from "./tool-pin.ts";

/** In characters of its canonical JSON: a larger definition is known by its hash alone. */
export const largestDefinition = 256 * 1024;
/** Marks what `withoutText` leaves; a tool that has it of itself is kept no other way, so that nothing hides behind it. */
export const omittedMember = "omittedCharacters";
/** Deeper than this nobody shows it. */
const deepestDefinition = 200;

export interface PinDefinition {
  /** What the hash is made over. */
  canonical: string;
  /** As `ToolPin.definition`; of one that is too large or too deep what `withoutText` leaves. */
  definition: JsonObject;
}

export function toolDefinition(tool: Tool): PinDefinition {
  // Made as JSON is: `__proto__` is a name like others.
  return definitionOf(
    Object.fromEntries(
      Object.entries(tool).filter(
        ([member, value]) => value !== undefined && !unpinnedMembers.includes(member),
      ),
    ),
  );
}

/** @param instructions the server's own; one that says nothing of itself says "" */
export function instructionsDefinition(instructions: string): PinDefinition {
  return definitionOf({ instructions });
}

function definitionOf(definition: JsonObject): PinDefinition {
  const { text, depth } = canonicalJson(definition);
  const isKept =
    text.length <= largestDefinition &&
    depth <= deepestDefinition &&
    !Object.hasOwn(definition, omittedMember);
  return {
    canonical: text,
    definition: isKept ? definition : withoutText(definition, text.length),
  };
}

/**
 * What is kept of a definition that is too much to keep: its name, the hints by which it is decided whether it reads
 * (`core/tool-access.ts`), and `omittedCharacters`, which no definition that is kept has of itself.
 */
export function withoutText(definition: JsonObject, characters: number): JsonObject {
  const { name, annotations } = definition;
  return {
    ...(typeof name === "string" && { name: name.slice(0, 1000) }),
    ...(isJsonObject(annotations) && { annotations: hintsOf(annotations) }),
    [omittedMember]: characters,
  };
}

function hintsOf(annotations: JsonObject): JsonObject {
  const hints: JsonObject = {};
  for (const name of ["readOnlyHint", "destructiveHint"]) {
    if (!Object.hasOwn(annotations, name)) continue;
    const value = annotations[name] ?? null;
    hints[name] = value === null || typeof value === "boolean" ? value : "unclear";
  }
  return hints;
}

/** A pinned definition as the tool that it was, for what asks about tools; undefined for instructions. */
export function definedTool(definition: JsonObject): Tool | undefined {
  const tool = { inputSchema: {}, ...definition };
  return isTool(tool) ? tool : undefined;
}
