import type { ServerAccess } from "./configuration.ts";
import { isJsonObject } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Tool } from "./mcp.ts";
import { matchesGlob } from "./name-glob.ts";

/**
 * Whether a tool only reads (contract §4 "Roles"). What the configuration says of its name counts first, `write`
 * before `read`; then, on a server whose hints are believed, what the tool says of itself (MCP,
 * `ToolAnnotations`); whatever neither calls reading changes things.
 * @param tool as its own server lists it: hostile, so nothing but `true` itself is taken for one
 */
export function toolAccess(access: ServerAccess, tool: Tool): "read" | "write" {
  const { name } = tool;
  const fits = (pattern: string): boolean => matchesGlob(pattern, name);
  if (access.write.some(fits)) return "write";
  if (access.read.some(fits)) return "read";
  return access.trustHints && saysItOnlyReads(tool) ? "read" : "write";
}

function saysItOnlyReads(tool: Tool): boolean {
  const annotations = own(tool, "annotations");
  if (!isJsonObject(annotations) || own(annotations, "readOnlyHint") !== true) return false;
  // Absent or null: nothing is said. Anything but a clear no is doubt, and doubt is no reading.
  const destructive = own(annotations, "destructiveHint") ?? false;
  return destructive === false;
}

/** Not what a prototype has. */
function own(object: JsonObject, key: string): Json | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined;
}
