import type { Tool } from "./mcp.ts";
import { exposedToolNames, type NamedServer } from "./tool-name.ts";

/** All tools of all upstream servers under the names MCP clients see. */
export interface Catalog {
  /** Copies that differ from what the servers listed in `name` only. */
  tools: readonly Tool[];
  /** From the exposed name to the server and the tool as that server listed it. */
  routes: ReadonlyMap<string, { server: string; tool: Tool }>;
  collisions: readonly string[];
}

/** Merges what the servers listed, in the order given (the configuration's). */
export function mergeCatalog(servers: readonly NamedServer<Tool>[]): Catalog {
  const { exposed, collisions } = exposedToolNames(servers);
  const own = new Map(servers.map((server) => [server.name, toolsByName(server.tools)]));
  const tools: Tool[] = [];
  const routes = new Map<string, { server: string; tool: Tool }>();
  for (const [name, { server, tool: ownName }] of exposed) {
    const tool = own.get(server)?.get(ownName);
    if (tool === undefined) continue;
    tools.push({ ...tool, name });
    routes.set(name, { server, tool });
  }
  return { tools, routes, collisions };
}

/** By their own names; the first of two with one name counts. */
export function toolsByName(tools: readonly Tool[]): Map<string, Tool> {
  const byName = new Map<string, Tool>();
  for (const tool of tools) if (!byName.has(tool.name)) byName.set(tool.name, tool);
  return byName;
}
