import { byOwnName, mergeCatalog } from "../core/catalog.ts";
import type { Catalog, ListedServer, NameRule } from "../core/catalog.ts";
import { callerKey } from "../core/client-port.ts";
import type { ClientPort, ClientSession } from "../core/client-port.ts";
import type { ServerConfiguration } from "../core/configuration.ts";
import { emptyListing } from "../core/mcp.ts";
import type { Listing, Tool } from "../core/mcp.ts";
import { mayAs, seesServer, sightOf } from "../core/permissions.ts";
import type { Principal } from "../core/principal.ts";
import type { Upstream, UpstreamPool } from "../upstream/upstream.ts";
import { createEqualListings } from "./equal-listings.ts";
import { createReadTools } from "./read-tools.ts";
import { createRecent } from "./recent.ts";

/** An enabled server of the configuration and, once the pool has taken it on, its connection. */
export interface LiveServer {
  configuration: ServerConfiguration;
  upstream: Upstream | undefined;
}

/**
 * The configured servers and the catalogs merged from what they list, always current. There is one for each
 * sight (`sightOf`): what a principal may not see is not in it, so whatever goes by it can tell nothing of it.
 * What a server lists depends on what a client declared, so each client has a view of its own in it; views that
 * are alike are one object.
 */
export interface SeenCatalog {
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
  /** What of a server's common listing is shown. */
  shown(server: LiveServer): Listing;
  /** A tool by the name its own server gives it, shown or not. */
  ownTool(listing: Listing, name: string): Tool | undefined;
}

export interface LiveCatalog {
  /** Nothing but caches is in it: one that is held while another is made for the same sight stays right. */
  seenBy(principal: Principal): SeenCatalog;
  /** Something that a session's own connections list has changed. */
  forget(session: ClientSession): void;
}

export interface LiveCatalogOptions {
  pool: UpstreamPool;
  configured: () => ReadonlyMap<string, ServerConfiguration>;
  names: NameRule;
}

interface View {
  catalog: Catalog;
  /** Whose: a session stays when the role of its principal changes. */
  sight: string;
  /** For whom, where servers may list each caller something else. */
  whose: string;
  generation: number;
  configured: ReadonlyMap<string, ServerConfiguration>;
}

/** How long a list waits for a server that opens a connection for the client; milliseconds. */
const patienceMs = 3_000;
/** Sessions hold their own; these are the views of clients without one. */
const mostViews = 200;
const mostCatalogs = 50;
/** Organisations, each twice: what is listed to those who may change things, and to those who may not. */
const mostSights = 400;

export function createLiveCatalog({ pool, configured, names }: LiveCatalogOptions): LiveCatalog {
  const idOf = createIds();
  const equal = createEqualListings();
  const readTools = createReadTools();
  const catalogs = createRecent<string, Catalog>(mostCatalogs);
  const sights = createRecent<string, SeenCatalog>(mostSights);
  const sessionViews = new WeakMap<ClientSession, View>();
  const otherViews = createRecent<string, View>(mostViews);
  /** Who waits for whom in vain already. */
  const late = new Set<string>();
  const tools = new WeakMap<Listing, Map<string, Tool>>();
  let generation = 0;
  pool.onChange(() => (generation += 1));

  /** Empty where no server is told who asks: what callers of one sight are listed is alike then. */
  const whoseView = createWhose(configured);

  const live = (configuration: ServerConfiguration): LiveServer => ({
    configuration,
    upstream: pool.upstreams.get(configuration.name),
  });

  /** @param last what was merged last for the same servers, so that it lasts however many others there are */
  const merge = (given: readonly ListedServer[], last?: Merged): Merged => {
    const listed = given.map(({ name, prefix, listing }) => ({
      name,
      prefix,
      listing: equal(name, listing),
    }));
    const key = JSON.stringify(
      listed.map(({ name, prefix, listing }) => [name, prefix, idOf(listing)]),
    );
    if (key === last?.key) return last;
    const catalog = catalogs.get(key) ?? mergeCatalog(listed, names);
    catalogs.set(key, catalog);
    return { key, catalog };
  };

  const listingWithin = (
    upstream: Upstream,
    client: ClientPort,
    patience: Promise<void>,
  ): Promise<Listing> => {
    const whom = client.session === undefined ? clientKey(client) : String(idOf(client.session));
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

  const ownTool = (listing: Listing, name: string): Tool | undefined => {
    let index = tools.get(listing);
    if (index === undefined) {
      index = byOwnName(listing.tools);
      tools.set(listing, index);
    }
    return index.get(name);
  };

  /** @param principal any of that sight */
  const createSeen = (sight: string, principal: Principal): SeenCatalog => {
    const listsAll = mayAs(principal, "editor");
    let lastCommon: Merged | undefined;

    /** A server's configuration, also of one that is switched off. */
    const configurationOf = (name: string): ServerConfiguration | undefined => {
      const configuration = configured().get(name);
      return configuration !== undefined && seesServer(principal, configuration)
        ? configuration
        : undefined;
    };
    const servers = (): LiveServer[] =>
      [...configured().values()]
        .filter((server) => !server.disabled && seesServer(principal, server))
        .map(live);
    const asListed = (catalog: Catalog): Catalog =>
      listsAll ? catalog : readTools.catalog(catalog, configured());

    return {
      servers,
      server(name) {
        const configuration = configurationOf(name);
        return configuration === undefined || configuration.disabled
          ? undefined
          : live(configuration);
      },
      isDisabled: (name) => configurationOf(name)?.disabled ?? false,
      common() {
        const listed = servers().map(({ configuration: { name, prefix }, upstream }) => ({
          name,
          prefix,
          listing: upstream?.listing ?? emptyListing,
        }));
        lastCommon = merge(listed, lastCommon);
        return asListed(lastCommon.catalog);
      },
      async view(client) {
        const whose = whoseView(client);
        const started = { sight, whose, generation, configured: configured() };
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
          const catalog = asListed(merge(listed).catalog);
          const view = { catalog, ...started };
          if (client.session === undefined) otherViews.set(clientKey(client, sight, whose), view);
          else sessionViews.set(client.session, view);
          return catalog;
        } finally {
          patience.end();
        }
      },
      known(client) {
        const whose = whoseView(client);
        const view =
          client.session === undefined
            ? otherViews.get(clientKey(client, sight, whose))
            : sessionViews.get(client.session);
        return view?.sight === sight &&
          view.whose === whose &&
          view.generation === generation &&
          view.configured === configured()
          ? view.catalog
          : undefined;
      },
      shown({ configuration, upstream }) {
        const listing = upstream?.listing ?? emptyListing;
        return listsAll ? listing : readTools.listing(listing, configuration.access);
      },
      ownTool,
    };
  };

  return {
    seenBy(principal) {
      const sight = sightOf(principal);
      let seen = sights.get(sight);
      if (seen === undefined) {
        seen = createSeen(sight, principal);
        sights.set(sight, seen);
      }
      return seen;
    },
    forget: (session) => void sessionViews.delete(session),
  };
}

interface Merged {
  /** Of what it was merged. */
  key: string;
  catalog: Catalog;
}

/** Clients without a session that are alike: of one principal, with one sight. */
function clientKey({ owner, capabilities }: ClientPort, sight = "", whose = ""): string {
  return JSON.stringify([owner, sight, whose, capabilities]);
}

/** Which caller's own the view of a client is; the configuration is looked through once for each. */
function createWhose(
  configured: () => ReadonlyMap<string, ServerConfiguration>,
): ({ caller }: ClientPort) => string {
  const known = new WeakMap<object, boolean>();
  return ({ caller }) => {
    const servers = configured();
    let tellsCallers = known.get(servers);
    if (tellsCallers === undefined) {
      tellsCallers = [...servers.values()].some(
        (server) => server.type !== "stdio" && server.forwardIdentity,
      );
      known.set(servers, tellsCallers);
    }
    return tellsCallers && caller !== undefined ? callerKey(caller) : "";
  };
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
