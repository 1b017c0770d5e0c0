import type { JsonObject } from "../core/json.ts";
import type { Listing, Tool } from "../core/mcp.ts";
import { parameterHeaders } from "../core/parameter-headers.ts";

/** The tools of a list by name; made once for each list. */
const byName = new WeakMap<Listing["tools"], ReadonlyMap<string, Tool>>();

function toolsByName(tools: Listing["tools"]): ReadonlyMap<string, Tool> {
  let map = byName.get(tools);
  if (map === undefined) {
    map = new Map(tools.map((tool) => [tool.name, tool]));
    byName.set(tools, map);
  }
  return map;
}

/** The `Mcp-Param-*` headers of a `tools/call` (2026-07-28, Streamable HTTP), by the schema the tool is listed with. */
export function toolHeaders(
  tools: Listing["tools"],
  params: JsonObject,
): Record<string, string> | undefined {
  const { name } = params;
  const tool = typeof name === "string" ? toolsByName(tools).get(name) : undefined;
  return tool && parameterHeaders(tool.inputSchema, params["arguments"] ?? {});
}
