import { createShared } from "./create-shared.ts";
import type { Shared } from "./create-shared.ts";
import { fittingListings } from "./fitting-listings.ts";
import type { Listing, Prompt, ProtocolEra, Resource, ResourceTemplate, Tool } from "./mcp.ts";
import { isGatewayUri, qualifiedUri, schemeOf } from "./resource-names.ts";
import type { ServerUri } from "./resource-names.ts";
import { oneLine, quotedName } from "./terminal-text.ts";
import { exposedNames, exposedToolName } from "./tool-name.ts";
import type { ExposedName, Exposing } from "./tool-name.ts";
import { compileUriTemplate } from "./uri-template.ts";
import type { UriTemplate } from "./uri-template.ts";

/** Everything that all upstream servers list, under the names and URIs MCP clients see. */
export interface Catalog {
  /**
   * What clients of each era are listed: copies that differ from what the servers listed in `name`, `uri` or
   * `uriTemplate` only, without entries for which a client would refuse the whole list.
   */
  listings: Readonly<Record<ProtocolEra, Listing>>;
  /** From the exposed name to the server and the entry as that server listed it. */
  tools: ReadonlyMap<string, { server: string; entry: Tool }>;
  prompts: ReadonlyMap<string, { server: string; entry: Prompt }>;
  /** From the exposed URI, or the exposed text of a template, to the server's own. */
  resources: ReadonlyMap<string, ServerUri>;
  templates: ReadonlyMap<string, ServerUri & { template: UriTemplate | undefined }>;
  /** Servers that list anything of a scheme, in the order of the configuration. */
  schemes: ReadonlyMap<string, readonly string[]>;
  /** One sentence for each name and URI that could not be offered as it is. */
  collisions: readonly string[];
  /** By server: one sentence for each entry that is listed to no client, or to those of one era only. */
  withheld: ReadonlyMap<string, readonly string[]>;
}

export interface ListedServer {
  /** The configured name. */
  name: string;
  prefix: string;
  listing: Listing;
}

/** `own`: every name and URI as its server gives it, for a gateway of one server that hides nothing. */
export type NameRule = "prefixed" | "own";

/** Templates of one server that a URI is matched with. */
const mostMatchable = 200;

/**
 * Merges what the servers listed, in the order given (the configuration's). There may be a catalog for each choice of
 * servers: whatever can be is one object in all of them.
 */
export function mergeCatalog(
  servers: readonly ListedServer[],
  names: NameRule = "prefixed",
): Catalog {
  const own = names === "own";
  const named = <Kind extends "tools" | "prompts">(
    kind: Kind,
  ): { name: string; prefix: string; entries: Listing[Kind] }[] =>
    servers.map(({ name, prefix, listing }) => ({ name, prefix, entries: listing[kind] }));
  const tools = exposedNames<Tool>("tool", named("tools"), sharing.tools.naming[names]);
  const prompts = exposedNames<Prompt>("prompt", named("prompts"), sharing.prompts.naming[names]);

  const resources = exposedUris(
    servers,
    own,
    "resources",
    ({ uri }) => uri,
    sharing.resources.addresses,
  );
  const templates = exposedUris(
    servers,
    own,
    "resourceTemplates",
    ({ uriTemplate }) => uriTemplate,
    sharing.resourceTemplates.addresses,
  );

  const { listings, withheld } = fittingListings(
    {
      tools: [...tools.exposed].map(([name, { server, entry }]) => ({
        server,
        own: entry.name,
        shown:
          name === entry.name
            ? entry
            : sharing.tools.copies(entry, name, () => ({ ...entry, name })),
      })),
      prompts: [...prompts.exposed].map(([name, { server, entry }]) => ({
        server,
        own: entry.name,
        shown:
          name === entry.name
            ? entry
            : sharing.prompts.copies(entry, name, () => ({ ...entry, name })),
      })),
      resources: resources.entries.map(({ server, entry, shown: uri }) => ({
        server,
        own: entry.uri,
        shown:
          uri === entry.uri
            ? entry
            : sharing.resources.copies(entry, uri, () => ({ ...entry, uri })),
      })),
      resourceTemplates: templates.entries.map(({ server, entry, shown: uriTemplate }) => ({
        server,
        own: entry.uriTemplate,
        shown:
          uriTemplate === entry.uriTemplate
            ? entry
            : sharing.resourceTemplates.copies(entry, uriTemplate, () => ({
                ...entry,
                uriTemplate,
              })),
      })),
    },
    { check: !own },
  );
  return {
    listings,
    tools: tools.exposed,
    prompts: prompts.exposed,
    resources: resources.routes,
    templates: compiledTemplates(templates.routes),
    schemes: schemesOf(servers, own),
    collisions: [
      ...tools.collisions,
      ...prompts.collisions,
      ...resources.collisions,
      ...templates.collisions,
    ],
    withheld,
  };
}

interface SharedNames<Entry> {
  naming: Record<NameRule, Exposing<Entry>>;
  /** By the exposed name. */
  copies: Shared<Entry, Entry>;
}
interface SharedUris<Entry> {
  /** By the server. */
  addresses: Shared<Entry, Address>;
  /** By the exposed URI. */
  copies: Shared<Entry, Entry>;
}
/** An entry's own URI, and the one that is offered where somebody has that. */
interface Address {
  route: ServerUri;
  qualified: string;
}

function sharedNames<Entry extends { name: string }>(): SharedNames<Entry> {
  const namingBy = (nameOf: (prefix: string, own: string) => string): Exposing<Entry> => {
    const shared = createShared<Entry, ExposedName<Entry>>();
    return ({ name: server, prefix }) => {
      const way = JSON.stringify([server, prefix]);
      return (entry) =>
        shared(entry, way, () => ({
          name: nameOf(prefix, entry.name),
          holder: { server, entry },
        }));
    };
  };
  return {
    naming: { prefixed: namingBy(exposedToolName), own: namingBy((_prefix, name) => name) },
    copies: createShared(),
  };
}

/** What all catalogs hold of the same entries. */
const sharing = {
  tools: sharedNames<Tool>(),
  prompts: sharedNames<Prompt>(),
  resources: { addresses: createShared(), copies: createShared() } satisfies SharedUris<Resource>,
  resourceTemplates: {
    addresses: createShared(),
    copies: createShared(),
  } satisfies SharedUris<ResourceTemplate>,
};

/** By their own names; the first of two with one name counts. */
export function byOwnName<Named extends { name: string }>(
  entries: readonly Named[],
): Map<string, Named> {
  const byName = new Map<string, Named>();
  for (const entry of entries) if (!byName.has(entry.name)) byName.set(entry.name, entry);
  return byName;
}

type UriKind = "resources" | "resourceTemplates";

interface ExposedUris<Entry> {
  entries: { server: string; entry: Entry; shown: string }[];
  routes: Map<string, ServerUri>;
  collisions: string[];
}

/**
 * The first configured server keeps a URI that several list; the others are offered under its qualified form.
 * A URI that a server lists twice is listed twice. One of the gateway's own scheme is never taken at its word,
 * whoever it names: that server may be configured later, and then what is asked of it must not go elsewhere.
 */
function exposedUris<Kind extends UriKind>(
  servers: readonly ListedServer[],
  own: boolean,
  kind: Kind,
  uriOf: (entry: Listing[Kind][number]) => string,
  addresses: Shared<Listing[Kind][number], Address>,
): ExposedUris<Listing[Kind][number]> {
  const exposed: ExposedUris<Listing[Kind][number]> = {
    entries: [],
    routes: new Map(),
    collisions: [],
  };
  for (const { name: server, listing } of servers) {
    for (const entry of listing[kind]) {
      const uri = uriOf(entry);
      const { route, qualified } = addresses(entry, server, () => {
        const address = { server, uri };
        return { route: address, qualified: qualifiedUri(address) };
      });
      const holder = exposed.routes.get(uri);
      const taken =
        !own && ((holder !== undefined && holder.server !== server) || isGatewayUri(uri));
      const shown = taken ? qualified : uri;
      exposed.entries.push({ server, entry, shown });
      if (exposed.routes.has(shown)) continue;
      exposed.routes.set(shown, route);
      if (!taken) continue;
      exposed.collisions.push(
        `${kind === "resources" ? "Resource" : "Resource template"} ${quotedName(uri)} of ` +
          `${JSON.stringify(server)} is offered as ${oneLine(shown, 200)}: ` +
          (holder === undefined
            ? "such URIs are the gateway's"
            : `${JSON.stringify(holder.server)} has that URI`),
      );
    }
  }
  return exposed;
}

/** Of each server, as many as it may have matched with what clients ask for; the others can only be named. */
function compiledTemplates(routes: ReadonlyMap<string, ServerUri>): Catalog["templates"] {
  const compiled = new Map<string, number>();
  return new Map(
    [...routes].map(([text, route]) => {
      const before = compiled.get(route.server) ?? 0;
      compiled.set(route.server, before + 1);
      if (before >= mostMatchable) return [text, { ...route, template: undefined }];
      const known = compiledRoutes.get(route) ?? {
        ...route,
        template: compileUriTemplate(route.uri),
      };
      compiledRoutes.set(route, known);
      return [text, known];
    }),
  );
}

const compiledRoutes = new WeakMap<ServerUri, ServerUri & { template: UriTemplate | undefined }>();

function schemesOf(servers: readonly ListedServer[], own: boolean): Map<string, string[]> {
  const schemes = new Map<string, string[]>();
  for (const { name, listing } of servers) {
    const uris = [
      ...listing.resources.map(({ uri }) => uri),
      ...listing.resourceTemplates.map(({ uriTemplate }) => uriTemplate),
    ];
    const routed = own ? uris : uris.filter((uri) => !isGatewayUri(uri));
    for (const scheme of new Set(routed.map(schemeOf))) {
      if (scheme === undefined) continue;
      const holders = schemes.get(scheme) ?? [];
      holders.push(name);
      schemes.set(scheme, holders);
    }
  }
  return schemes;
}
