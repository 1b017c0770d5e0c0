import { mergeCatalog, toolsByName, type Catalog } from "../core/catalog.ts";
import type { ServerConfiguration } from "../core/configuration.ts";
import type { Tool } from "../core/mcp.ts";
import type { Upstream, UpstreamPool } from "../upstream/upstream.ts";

/** An enabled server of the configuration and, once the pool has taken it on, its connection. */
export interface LiveServer {
  configuration: ServerConfiguration;
  upstream: Upstream | undefined;
}

/** The configured servers and the catalog merged from what they list, both always current. */
export interface LiveCatalog {
  /** Enabled servers in the order of the configuration, which decides who wins a name. */
  servers(): LiveServer[];
  server(name: string): LiveServer | undefined;
  /** Whether the configuration names the server and has it switched off. */
  isDisabled(name: string): boolean;
  /** The same object as long as no server lists anything else. */
  current(): Catalog;
  /** A tool by the name its own server gives it. */
  ownTool(upstream: Upstream, name: string): Tool | undefined;
}

export function createLiveCatalog(
  pool: UpstreamPool,
  configured: () => ReadonlyMap<string, ServerConfiguration>,
): LiveCatalog {
  let merged: Catalog = { tools: [], routes: new Map(), collisions: [] };
  let mergedFrom: { name: string; prefix: string; tools: readonly Tool[] }[] = [];
  const byName = new WeakMap<readonly Tool[], Map<string, Tool>>();

  const live = (configuration: ServerConfiguration): LiveServer => ({
    configuration,
    upstream: pool.upstreams.get(configuration.name),
  });

  const servers = (): LiveServer[] =>
    [...configured().values()].filter(({ disabled }) => !disabled).map(live);

  return {
    servers,
    server(name) {
      const configuration = configured().get(name);
      return configuration === undefined || configuration.disabled
        ? undefined
        : live(configuration);
    },
    isDisabled: (name) => configured().get(name)?.disabled ?? false,
    current() {
      const listed = servers().map(({ configuration: { name, prefix }, upstream }) => ({
        name,
        prefix,
        tools: upstream?.tools ?? noTools,
      }));
      const same =
        listed.length === mergedFrom.length &&
        listed.every(({ name, prefix, tools }, index) => {
          const before = mergedFrom[index];
          return name === before?.name && prefix === before.prefix && tools === before.tools;
        });
      if (!same) {
        merged = mergeCatalog(listed);
        mergedFrom = listed;
      }
      return merged;
    },
    ownTool({ tools }, name) {
      let index = byName.get(tools);
      if (index === undefined) {
        index = toolsByName(tools);
        byName.set(tools, index);
      }
      return index.get(name);
    },
  };
}

const noTools: readonly Tool[] = [];
