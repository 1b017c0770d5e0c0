import type { ToolServer } from "../../client/tool-server.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { exposedToolName } from "../../core/tool-name.ts";

// Loaded only where a target names no tool.

/** Each is a question to the gateway. */
const mostAsked = 20;
const mostTold = 5;

/**
 * Which tools a word may mean that is no `<server>/<tool>`: a tool's own name, or the one that MCP clients and the audit
 * have for it (`server__tool`). Where none is known by it, how to
 * look for one.
 * @param same what has to be repeated on a command line
 */
export async function meantTool(word: string, server: ToolServer, same: string): Promise<string> {
  const ofServer = `agent inspect ${quoteForShell(word)}${same}`;
  if (server.kind !== "onedoor") return ofServer;
  try {
    const { servers } = await server.inventory();
    if (servers.some(({ name }) => name === word)) return ofServer;
    const pages = await Promise.all(
      servers
        .filter(({ toolCount }) => toolCount > 0)
        .slice(0, mostAsked)
        .map(({ name }) => server.server(name)),
    );
    const targets = pages.flatMap(({ name, tools }) =>
      tools
        .filter((tool) => tool.name === word || exposedToolName(name, tool.name) === word)
        .map((tool) => quoteForShell(`${name}/${tool.name}`)),
    );
    if (targets.length === 0) return `agent inspect${same}`;
    return targets.length === 1
      ? `Did you mean ${targets.join("")}?`
      : `It is one of ${targets.slice(0, mostTold).join(", ")}`;
  } catch {
    // The mistake is told in any case.
    return ofServer;
  }
}
