import type { JsonObject } from "../core/json.ts";
import { isTool } from "../core/mcp.ts";
import type { Tool } from "../core/mcp.ts";

export interface ListingLimits {
  pages: number;
  tools: number;
  bytes: number;
}

/** Far beyond what a model can use; keeps a mistaken or hostile server from filling the memory. */
const listingLimits: ListingLimits = { pages: 200, tools: 5000, bytes: 16 * 1024 * 1024 };

export interface ToolListing {
  /** Every field kept as the server sent it. */
  tools: Tool[];
  /** Why the list is not complete, if it is not. */
  problems: string[];
}

/**
 * Fetches every page of `tools/list` (MCP, pagination) within the limits; beyond them the tools so far
 * are the list. Entries without a name or an input schema cannot be called and are left out.
 */
export async function listAllTools(
  fetchPage: (params: JsonObject) => Promise<JsonObject>,
  limits: ListingLimits = listingLimits,
): Promise<ToolListing> {
  const tools: Tool[] = [];
  const problems: string[] = [];
  const seen = new Set<string>();
  let bytes = 0;
  let unusable = 0;
  let cursor: string | undefined;
  for (let page = 1; ; page++) {
    const result = await fetchPage(cursor === undefined ? {} : { cursor });
    const items = Array.isArray(result["tools"]) ? result["tools"] : [];
    for (const item of items) {
      bytes += JSON.stringify(item).length;
      if (tools.length === limits.tools || bytes > limits.bytes) {
        problems.push(
          `more than ${limits.tools} tools or ${limits.bytes} bytes; the rest is left out`,
        );
        return { tools, problems };
      }
      if (isTool(item)) tools.push(item);
      else unusable++;
    }
    const next = result["nextCursor"];
    if (typeof next !== "string" || next === "") break;
    if (seen.has(next) || page === limits.pages) {
      problems.push(
        seen.has(next) ? "the pages go round in a circle" : `more than ${limits.pages} pages`,
      );
      break;
    }
    seen.add(next);
    cursor = next;
  }
  if (unusable > 0) problems.push(`${unusable} entries without a name or an input schema left out`);
  return { tools, problems };
}
