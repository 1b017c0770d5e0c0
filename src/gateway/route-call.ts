import type { ServerConfiguration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import type { Tool } from "../core/mcp.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { closest } from "../core/suggest.ts";
import { oneLine } from "../core/terminal-text.ts";
import { exposedPrefix } from "../core/tool-name.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { ToolAddress } from "./gateway.ts";
import type { LiveCatalog, LiveServer } from "./live-catalog.ts";
import { availabilityOf } from "./server-view.ts";

export interface Route {
  configuration: ServerConfiguration;
  upstream: Upstream;
  /** As its own server lists it. */
  tool: Tool;
}

/**
 * The upstream server and tool that an address means.
 * @throws AppError `not_found` with a "did you mean" hint; `upstream_unavailable` when the tool is not
 *   known but its server is not ready, so nobody can say yet that there is no such tool
 */
export function routeCall(catalog: LiveCatalog, address: ToolAddress): Route {
  return "exposedName" in address
    ? routeExposed(catalog, address.exposedName)
    : routeOwn(catalog, address.server, address.tool);
}

/** @throws AppError `not_found`: switched off, or unknown with a "did you mean" hint */
export function findServer(catalog: LiveCatalog, name: string): LiveServer {
  const server = catalog.server(name);
  if (server !== undefined) return server;
  if (catalog.isDisabled(name)) {
    throw new AppError("not_found", `Server ${shown(name)} is disabled in the configuration`, {
      hint: 'Take "disabled" out of its entry there; saving the file is enough',
    });
  }
  const names = catalog.servers().map(({ configuration }) => configuration.name);
  const meant = closest(name, names);
  throw new AppError("not_found", `Unknown server ${shown(name)}`, {
    hint: meant === undefined ? "agent inspect" : `Did you mean ${quoteForShell(meant)}?`,
  });
}

function routeOwn(catalog: LiveCatalog, serverName: string, toolName: string): Route {
  const server = findServer(catalog, serverName);
  const { configuration, upstream } = server;
  const tool = upstream === undefined ? undefined : catalog.ownTool(upstream, toolName);
  if (upstream !== undefined && tool !== undefined) return { configuration, upstream, tool };
  refuseUnlessReady(server);
  const names = (upstream?.tools ?? []).map(({ name }) => name);
  const meant = closest(toolName, names);
  throw new AppError("not_found", `Unknown tool ${shown(toolName)} of ${shown(serverName)}`, {
    hint:
      meant === undefined
        ? `agent inspect ${quoteForShell(serverName)}`
        : `Did you mean ${quoteForShell(`${serverName}/${meant}`)}?`,
  });
}

function routeExposed(catalog: LiveCatalog, exposedName: string): Route {
  const { routes } = catalog.current();
  const found = routes.get(exposedName);
  if (found !== undefined) {
    const { configuration, upstream } = findServer(catalog, found.server);
    if (upstream !== undefined) return { configuration, upstream, tool: found.tool };
  }
  for (const server of catalog.servers()) {
    if (exposedName.startsWith(exposedPrefix(server.configuration.prefix)))
      refuseUnlessReady(server);
  }
  const meant = closest(exposedName, routes.keys());
  throw new AppError("not_found", `Unknown tool ${shown(exposedName)}`, {
    hint: meant === undefined ? undefined : `Did you mean ${meant}?`,
  });
}

/** @throws AppError `upstream_unavailable` */
function refuseUnlessReady({ configuration, upstream }: LiveServer): void {
  const { state, reason } = availabilityOf(upstream);
  if (state === "ready") return;
  const why = reason === undefined ? "is still starting" : `is unavailable: ${oneLine(reason)}`;
  throw new AppError("upstream_unavailable", `Server ${shown(configuration.name)} ${why}`, {
    hint: `${state === "starting" ? "agent wait" : "agent inspect"} ${quoteForShell(configuration.name)}`,
  });
}

function shown(name: string): string {
  return JSON.stringify(oneLine(name, 120));
}
