import type { JsonObject } from "../core/json.ts";
import { isPrompt, isResource, isResourceTemplate, isTool } from "../core/mcp.ts";
import type { Listing, ListKind } from "../core/mcp.ts";

export interface ListingLimits {
  pages: number;
  entries: number;
  bytes: number;
}

/** Of each kind; far beyond what a model can use, keeps a mistaken or hostile server from filling the memory. */
const listingLimits: ListingLimits = { pages: 200, entries: 5000, bytes: 16 * 1024 * 1024 };

interface ListRule<Kind extends ListKind> {
  method: string;
  /** The server capability that promises this list. */
  capability: "tools" | "prompts" | "resources";
  isEntry: (value: unknown) => value is Listing[Kind][number];
  /** What an entry cannot be used without. */
  needs: string;
}

export const listRules: { readonly [Kind in ListKind]: ListRule<Kind> } = {
  tools: {
    method: "tools/list",
    capability: "tools",
    isEntry: isTool,
    needs: "a name or an input schema",
  },
  prompts: { method: "prompts/list", capability: "prompts", isEntry: isPrompt, needs: "a name" },
  resources: {
    method: "resources/list",
    capability: "resources",
    isEntry: isResource,
    needs: "a URI",
  },
  resourceTemplates: {
    method: "resources/templates/list",
    capability: "resources",
    isEntry: isResourceTemplate,
    needs: "a URI template",
  },
};

export const listKinds: readonly ListKind[] = [
  "tools",
  "prompts",
  "resources",
  "resourceTemplates",
];

export interface KindList<Kind extends ListKind> {
  /** Every field kept as the server sent it. */
  entries: Listing[Kind][number][];
  /** Why the list is not complete, if it is not. */
  problems: string[];
}

/**
 * Fetches every page of one kind of list (MCP, pagination) within the limits; beyond them the entries so far
 * are the list. Entries that cannot be used are left out.
 */
export async function listKind<Kind extends ListKind>(
  kind: Kind,
  fetchPage: (params: JsonObject) => Promise<JsonObject>,
  limits: ListingLimits = listingLimits,
): Promise<KindList<Kind>> {
  const { isEntry, needs } = listRules[kind];
  const entries: Listing[Kind][number][] = [];
  const problems: string[] = [];
  const seen = new Set<string>();
  let bytes = 0;
  let unusable = 0;
  let cursor: string | undefined;
  for (let page = 1; ; page++) {
    const result = await fetchPage(cursor === undefined ? {} : { cursor });
    const items = Array.isArray(result[kind]) ? result[kind] : [];
    for (const item of items) {
      bytes += JSON.stringify(item).length;
      if (entries.length === limits.entries || bytes > limits.bytes) {
        problems.push(
          `more than ${limits.entries} entries or ${limits.bytes} bytes; the rest is left out`,
        );
        return { entries, problems };
      }
      if (isEntry(item)) entries.push(item);
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
  if (unusable > 0) problems.push(`${unusable} entries without ${needs} left out`);
  return { entries, problems };
}
