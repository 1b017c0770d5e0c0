import { isJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";

// Since 2026-07-28 what a tool gives back as structured content may be any JSON; before, it is an object, and a
// client that checks it would refuse the whole list, or the answer.

/** The tool as clients of the legacy era can read it: without an output schema whose root is no object. */
export function legacyTool<Listed extends JsonObject>(tool: Listed): Listed {
  const { outputSchema, ...rest } = tool;
  if (!isJsonObject(outputSchema) || outputSchema["type"] === "object") return tool;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- an optional member of a tool is left out
  return rest as unknown as Listed;
}

/** The result as clients of the legacy era can read it: structured content that is no object becomes `{result: …}`. */
export function legacyResult(result: JsonObject): JsonObject {
  const { structuredContent } = result;
  if (structuredContent === undefined || isJsonObject(structuredContent)) return result;
  return { ...result, structuredContent: { result: structuredContent } };
}
