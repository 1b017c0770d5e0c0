import { byOwnName, mergeCatalog } from "../core/catalog.ts";
import type { Catalog, ListedServer, NameRule } from "../core/catalog.ts";
import type { ClientPort, ClientSession } from "../core/client-port.ts";
import type { ServerConfiguration } from "../core/configuration.ts";
import { emptyListing } from "../core/mcp.ts";
import type { Listing, Tool } from "../core/mcp.ts";
import type { Upstream, UpstreamPool } from "../upstream/upstream.ts";
import { createEqualListings } from "./equal-listings.ts";
import { createRecent } from "./recent.ts";

/** An enabled server of the configuration and, once the pool has taken it on, its connection. */
export interface LiveServer {
  configuration: ServerConfiguration;
  upstream: Upstream | undefined;
}

/**
 * The configured servers and the catalogs merged from what they list, always current. What a server lists
 * depends on what a client declared, so each client has a view of its own; views that are alike are one object.
 */
export interface LiveCatalog {
  /** Enabled servers in the order of the configuration, which decides who wins a name. */
  servers(): LiveServer[];
  server(name: string): LiveServer | undefined;
  /** Whether the configuration names the server and has it switched off. */
  isDisabled(name: string): boolean;
  /** What clients without capabilities see. The same object as long as no server lists anything else. */
  common(): Catalog;
  /**
   * What this client sees. Asks all servers at once, and waits for one that does not answer a bounded time,
   * once: until it does, its common listing stands for it.
   */
  view(client: ClientPort): Promise<Catalog>;
  /** The view that was last made for this client, unless something changed since. */
  known(client: ClientPort): Catalog | undefined;
  /** Something that a session's own connections list has changed. */
  forget(session: ClientSession): void;
  /** A tool by the name its own server gives it. */
  ownTool(listing: Listing, name: string): Tool | undefined;
}

export interface LiveCatalogOptions {
  pool: UpstreamPool;
  configured: () => ReadonlyMap<string, ServerConfiguration>;
  names: NameRule;
}

interface View {
  catalog: Catalog;
  generation: number;
  configured: ReadonlyMap<string, ServerConfiguration>;
}

/** How long a list waits for a server that opens a connection for the client; milliseconds. */
const patienceMs = 3_000;
/** Sessions hold their own; these are the views of clients without one. */
const mostViews = 200;
const mostCatalogs = 50;

export function createLiveCatalog({ pool, configured, names }: LiveCatalogOptions): LiveCatalog {
  const idOf = createIds();
  const equal = createEqualListings();
  const catalogs = createRecent<string, Catalog>(mostCatalogs);
  const sessionViews = new WeakMap<ClientSession, View>();
  const otherViews = createRecent<string, View>(mostViews);
  /** Who waits for whom in vain already. */
  const late = new Set<string>();
  const tools = new WeakMap<Listing, Map<string, Tool>>();
  let generation = 0;
  pool.onChange(() => (generation += 1));

  const live = (configuration: ServerConfiguration): LiveServer => ({
    configuration,
    upstream: pool.upstreams.get(configuration.name),
  });

  const servers = (): LiveServer[] =>
    [...configured().values()].filter(({ disabled }) => !disabled).map(live);

  const merge = (given: readonly ListedServer[]): Catalog => {
    const listed = given.map(({ name, prefix, listing }) => ({
      name,
      prefix,
      listing: equal(name, listing),
    }));
    const key = JSON.stringify(
      listed.map(({ name, prefix, listing }) => [name, prefix, idOf(listing)]),
    );
    let catalog = catalogs.get(key);
    if (catalog === undefined) {
      catalog = mergeCatalog(listed, names);
      catalogs.set(key, catalog);
    }
    return catalog;
  };

  const listingWithin = (
    upstream: Upstream,
    client: ClientPort,
    patience: Promise<void>,
  ): Promise<Listing> => {
    const whom = client.session === undefined ? viewKey(client) : String(idOf(client.session));
    const waiting = `${whom} ${upstream.name}`;
    const asked = upstream.listingFor(client).then(
      (listing) => {
        late.delete(waiting);
        return listing;
      },
      () => {
        late.delete(waiting);
        return upstream.listing;
      },
    );
    const wait = late.has(waiting) ? soon() : patience;
    return Promise.race([
      asked,
      wait.then(() => {
        late.add(waiting);
        return upstream.listing;
      }),
    ]);
  };

  return {
    servers,
    server(name) {
      const configuration = configured().get(name);
      return configuration === undefined || configuration.disabled
        ? undefined
        : live(configuration);
    },
    isDisabled: (name) => configured().get(name)?.disabled ?? false,
    common: () =>
      merge(
        servers().map(({ configuration: { name, prefix }, upstream }) => ({
          name,
          prefix,
          listing: upstream?.listing ?? emptyListing,
        })),
      ),
    async view(client) {
      const started = { generation, configured: configured() };
      const patience = createPatience(patienceMs);
      try {
        const listed = await Promise.all(
          servers().map(async ({ configuration: { name, prefix }, upstream }) => ({
            name,
            prefix,
            listing:
              upstream === undefined
                ? emptyListing
                : await listingWithin(upstream, client, patience.over),
          })),
        );
        const catalog = merge(listed);
        const view = { catalog, ...started };
        if (client.session === undefined) otherViews.set(viewKey(client), view);
        else sessionViews.set(client.session, view);
        return catalog;
      } finally {
        patience.end();
      }
    },
    known(client) {
      const view =
        client.session === undefined
          ? otherViews.get(viewKey(client))
          : sessionViews.get(client.session);
      return view?.generation === generation && view.configured === configured()
        ? view.catalog
        : undefined;
    },
    forget: (session) => void sessionViews.delete(session),
    ownTool(listing, name) {
      let index = tools.get(listing);
      if (index === undefined) {
        index = byOwnName(listing.tools);
        tools.set(listing, index);
      }
      return index.get(name);
    },
  };
}

/** Clients without a session that are alike. */
function viewKey({ owner, capabilities }: ClientPort): string {
  return JSON.stringify([owner, capabilities]);
}

/** A number for each object, the same for its whole life. */
function createIds(): (object: object) => number {
  const ids = new WeakMap<object, number>();
  let last = 0;
  return (object) => {
    const known = ids.get(object);
    if (known !== undefined) return known;
    last += 1;
    ids.set(object, last);
    return last;
  };
}

/** Resolves when the time is over, never once it was ended before. */
function createPatience(ms: number): { over: Promise<void>; end: () => void } {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  return {
    over,
    end: () => {
      clearTimeout(timer);
    },
  };
}

/** After everything that is settled already. */
function soon(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
