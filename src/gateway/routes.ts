import type { Catalog, NameRule } from "../core/catalog.ts";
import type { ClientPort } from "../core/client-port.ts";
import type { ServerConfiguration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import { isGatewayUri, parseQualifiedUri, schemeOf } from "../core/resource-names.ts";
import type { ServerUri } from "../core/resource-names.ts";
import type { Prompt, Tool } from "../core/mcp.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { closest } from "../core/suggest.ts";
import { oneLine, quotedName } from "../core/terminal-text.ts";
import { exposedPrefix, exposedToolName } from "../core/tool-name.ts";
import { serversFitting } from "../core/uri-template.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { ToolAddress } from "./gateway.ts";
import type { LiveServer, SeenCatalog } from "./live-catalog.ts";
import { deniedTool, isLeftOut, notOffered } from "./offered-listings.ts";
import type { OfferedListing } from "./offered-listings.ts";
import { availabilityOf } from "./server-view.ts";

/** The upstream server that a request goes to. */
export interface Target {
  configuration: ServerConfiguration;
  upstream: Upstream;
}

export interface NamedRoute<Entry> extends Target {
  /** As its own server names it. */
  name: string;
  /** As its own server lists it; undefined where the gateway passes on what it does not know. */
  entry: Entry | undefined;
}

export interface UriRoute extends Target {
  /** As its own server knows it. */
  uri: string;
}

/** Which upstream server a name or a URI means, among those that the caller's sight has. */
export interface Routes {
  /**
   * @throws AppError `not_found` with a "did you mean" hint; `upstream_unavailable` when the tool is not
   *   known but its server is not ready, so nobody can say yet that there is no such tool
   */
  tool(client: ClientPort, address: ToolAddress): Promise<NamedRoute<Tool>>;
  /** @throws as `tool` */
  prompt(client: ClientPort, exposedName: string): Promise<NamedRoute<Prompt>>;
  /**
   * Whom to ask for a resource, the likeliest first: who lists it, or is named in it, alone; else those with a
   * template it fits, the most telling template first, and those that list anything of its scheme. Nobody for
   * `onedoor:<server>:…` of a server that is not there.
   */
  resource(client: ClientPort, uri: string): Promise<UriRoute[]>;
  /** Whose template this is, by its exposed text, or whose resource. */
  template(client: ClientPort, uriOrTemplate: string): Promise<UriRoute | undefined>;
}

/** A URI is asked of no more servers than this. */
const mostAsked = 8;

export function createRoutes(catalog: SeenCatalog, names: NameRule): Routes {
  const targetOf = (serverName: string): Target | undefined => {
    const server = catalog.server(serverName);
    return server?.upstream && { configuration: server.configuration, upstream: server.upstream };
  };

  /** The one server of a gateway that hides nothing: it may know more than it lists. */
  const theOnly = (): Target | undefined => {
    const [server] = names === "own" ? catalog.servers() : [];
    return server?.upstream && { configuration: server.configuration, upstream: server.upstream };
  };

  /** What a URI says of itself, where the gateway gives out such URIs. */
  const qualified = (uri: string): ServerUri | undefined =>
    names === "own" ? undefined : parseQualifiedUri(uri);

  /** What is found in what the client saw, which nobody waits for. */
  const lookUpKnown = <Found>(
    client: ClientPort,
    find: (view: Catalog) => Found | undefined,
  ): { found: Found; view: Catalog } | undefined => {
    const view = catalog.known(client);
    const found = view && find(view);
    return view === undefined || found === undefined ? undefined : { found, view };
  };

  /** What is found in what the client saw, or else in what it would see now. */
  const lookUp = async <Found>(
    client: ClientPort,
    find: (view: Catalog) => Found | undefined,
  ): Promise<{ found: Found | undefined; view: Catalog }> => {
    const known = lookUpKnown(client, find);
    if (known !== undefined) return known;
    const view = await catalog.view(client);
    return { found: find(view), view };
  };

  const named = async <Entry extends { name: string }>(
    kind: "tool" | "prompt",
    client: ClientPort,
    exposedName: string,
    entriesOf: (view: Catalog) => ReadonlyMap<string, { server: string; entry: Entry }>,
  ): Promise<NamedRoute<Entry>> => {
    const find = (seen: Catalog) => entriesOf(seen).get(exposedName);
    const { found, view } = lookUpKnown(client, find) ?? (await lookUp(client, find));
    const target = found && targetOf(found.server);
    if (found !== undefined && target !== undefined) {
      const { configuration, upstream } = target;
      return { configuration, upstream, name: found.entry.name, entry: found.entry };
    }
    const only = theOnly();
    if (only !== undefined) {
      const { name: server, tools } = only.configuration;
      if (kind === "tool" && isLeftOut(tools, exposedName)) throw deniedTool(server, exposedName);
      return { ...only, name: exposedName, entry: undefined };
    }
    for (const server of catalog.servers()) {
      if (!exposedName.startsWith(exposedPrefix(server.configuration.prefix))) continue;
      const kept =
        kind === "tool" ? await notOfferedAs(catalog, server, client, exposedName) : undefined;
      const unavailable = kept ?? unlessReady(server);
      if (unavailable !== undefined) throw unavailable;
    }
    const meant = closest(exposedName, entriesOf(view).keys());
    throw new AppError("not_found", `Unknown ${kind} ${quotedName(exposedName)}`, {
      hint: meant === undefined ? undefined : `Did you mean ${meant}?`,
    });
  };

  const ownTool = async (
    client: ClientPort,
    serverName: string,
    toolName: string,
  ): Promise<NamedRoute<Tool>> => {
    const server = findServer(catalog, serverName);
    const route = await findOwnTool(catalog, server, client, toolName);
    if (route !== undefined) return route;
    throw unknownTool(catalog, server, toolName);
  };

  return {
    tool: (client, address) =>
      "exposedName" in address
        ? named("tool", client, address.exposedName, ({ tools }) => tools)
        : ownTool(client, address.server, address.tool),
    prompt: (client, exposedName) => named("prompt", client, exposedName, ({ prompts }) => prompts),
    async resource(client, uri) {
      const { found, view } = await lookUp(client, ({ resources }) => resources.get(uri));
      const sure = found ?? qualified(uri);
      const target = sure && targetOf(sure.server);
      if (sure !== undefined && target !== undefined) return [{ ...target, uri: sure.uri }];
      if (names !== "own" && isGatewayUri(uri)) return [];
      const fitting = serversFitting(uri, view.templates.values());
      const scheme = schemeOf(uri);
      const sameScheme = (scheme !== undefined && view.schemes.get(scheme)) || [];
      const targets = [...new Set([...fitting, ...sameScheme])]
        .slice(0, mostAsked)
        .flatMap((server) => targetOf(server) ?? []);
      const only = targets.length === 0 ? theOnly() : undefined;
      return (only === undefined ? targets : [only]).map(({ configuration, upstream }) => ({
        configuration,
        upstream,
        uri,
      }));
    },
    async template(client, uriOrTemplate) {
      const { found } = await lookUp(
        client,
        (seen) => seen.templates.get(uriOrTemplate) ?? seen.resources.get(uriOrTemplate),
      );
      const sure = found ?? qualified(uriOrTemplate);
      const target = sure && targetOf(sure.server);
      if (sure !== undefined && target !== undefined) return { ...target, uri: sure.uri };
      const only = theOnly();
      return only && { ...only, uri: uriOrTemplate };
    },
  };
}

async function findOwnTool(
  catalog: SeenCatalog,
  server: LiveServer,
  client: ClientPort,
  name: string,
): Promise<NamedRoute<Tool> | undefined> {
  const { configuration, upstream } = server;
  if (upstream === undefined) return undefined;
  let entry = catalog.ownTool(catalog.offered(server).listing, name);
  if (entry === undefined) {
    // Some are listed only to clients that declared what they need.
    const offered = await catalog.offeredTo(server, client);
    const kept = notOffered(configuration, offered, name);
    if (kept !== undefined) throw kept;
    entry = catalog.ownTool(offered.listing, name);
  }
  return entry && { configuration, upstream, name, entry };
}

/** Why a tool that the server lists is not there by the name that MCP clients would see. */
async function notOfferedAs(
  catalog: SeenCatalog,
  server: LiveServer,
  client: ClientPort,
  exposedName: string,
): Promise<AppError | undefined> {
  const { configuration } = server;
  const reason = ({ denied, withheld, beyond }: OfferedListing): AppError | undefined => {
    for (const name of [...denied, ...withheld]) {
      if (exposedToolName(configuration.prefix, name) !== exposedName) continue;
      return notOffered(configuration, { denied, withheld, beyond }, name);
    }
    return undefined;
  };
  return reason(catalog.offered(server)) ?? reason(await catalog.offeredTo(server, client));
}

/**
 * A tool as every client may see it, without asking its server; also one that is not listed to who may only
 * read: what it is that needs another role may be known.
 * @throws as `Routes.tool`
 */
export function listedTool(catalog: SeenCatalog, serverName: string, toolName: string): Tool {
  const server = findServer(catalog, serverName);
  const tool = catalog.ownTool(catalog.offered(server).listing, toolName);
  if (tool !== undefined) return tool;
  throw unknownTool(catalog, server, toolName);
}

/** @throws AppError `not_found`: switched off, or unknown with a "did you mean" hint */
export function findServer(catalog: SeenCatalog, name: string): LiveServer {
  const server = catalog.server(name);
  if (server !== undefined) return server;
  if (catalog.isDisabled(name)) {
    throw new AppError("not_found", `Server ${quotedName(name)} is disabled in the configuration`, {
      hint: 'Take "disabled" out of its entry there; saving the file is enough',
    });
  }
  const names = catalog.servers().map(({ configuration }) => configuration.name);
  const meant = closest(name, names);
  throw new AppError("not_found", `Unknown server ${quotedName(name)}`, {
    hint: meant === undefined ? "agent inspect" : `Did you mean ${quoteForShell(meant)}?`,
  });
}

/** `not_found` or, of one that is withheld, `forbidden`; unless the server is not ready and nobody can say. */
function unknownTool(catalog: SeenCatalog, live: LiveServer, toolName: string): AppError {
  const offered = catalog.offered(live);
  const known = notOffered(live.configuration, offered, toolName) ?? unlessReady(live);
  if (known !== undefined) return known;
  const names = offered.listing.tools.map(({ name }) => name);
  const meant = closest(toolName, names);
  const server = live.configuration.name;
  return new AppError(
    "not_found",
    `Unknown tool ${quotedName(toolName)} of ${quotedName(server)}`,
    {
      hint:
        meant === undefined
          ? `agent inspect ${quoteForShell(server)}`
          : `Did you mean ${quoteForShell(`${server}/${meant}`)}?`,
    },
  );
}

/** `upstream_unavailable` with the reason; undefined when it is ready. */
function unlessReady({ configuration, upstream }: LiveServer): AppError | undefined {
  const { state, reason } = availabilityOf(upstream);
  if (state === "ready") return undefined;
  const why = reason === undefined ? "is still starting" : `is unavailable: ${oneLine(reason)}`;
  return new AppError("upstream_unavailable", `Server ${quotedName(configuration.name)} ${why}`, {
    hint: `${state === "starting" ? "agent wait" : "agent inspect"} ${quoteForShell(configuration.name)}`,
  });
}
