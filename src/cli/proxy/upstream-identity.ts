import { isJsonObject } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import type { McpIdentity } from "../../mcp/mcp-identity.ts";
import type { Upstream } from "../../upstream/upstream.ts";

/** What a gateway routes; whatever else the server announces could not be used through it. */
const carried = ["tools", "prompts", "resources", "completions", "logging"] as const;
const lists: ReadonlySet<string> = new Set(["tools", "prompts", "resources"]);

/**
 * As whom a proxy answers: as its server, once that has been reached.
 * @param own what is said before, which promises all that the server could have
 */
export function upstreamIdentity(upstream: Upstream, own: McpIdentity): McpIdentity {
  const isKnown = (): boolean => Object.keys(upstream.capabilities).length > 0;
  return {
    get serverInfo() {
      return upstream.serverInfo ?? own.serverInfo;
    },
    get capabilities() {
      return isKnown() ? carriedCapabilities(upstream.capabilities) : own.capabilities;
    },
    instructions: () => upstream.instructions,
  };
}

/** The server may come back with other lists, even one that says nothing when they change. */
function carriedCapabilities(announced: JsonObject): JsonObject {
  const kept: JsonObject = {};
  for (const name of carried) {
    const capability = announced[name];
    if (!isJsonObject(capability)) continue;
    kept[name] = lists.has(name) ? { ...capability, listChanged: true } : capability;
  }
  return kept;
}
