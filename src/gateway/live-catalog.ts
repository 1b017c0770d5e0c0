import { byOwnName, mergeCatalog } from "../core/catalog.ts";
import type { Catalog, ListedServer, NameRule } from "../core/catalog.ts";
import type { ClientPort, ClientSession } from "../core/client-port.ts";
import type { ServerConfiguration } from "../core/configuration.ts";
import { emptyListing } from "../core/mcp.ts";
import type { Listing, Tool } from "../core/mcp.ts";
import { createRecent } from "../core/recent.ts";
import type { Recent } from "../core/recent.ts";
import { createRecentOrHeld } from "../core/recent-or-held.ts";
import { mayAs, seesServer, sightOf } from "../core/permissions.ts";
import type { Principal } from "../core/principal.ts";
import type { Selection, Selections } from "../core/selection.ts";
import type { Upstream, UpstreamPool } from "../upstream/upstream.ts";
import { createEqualListings } from "./equal-listings.ts";
import { createIds } from "./create-ids.ts";
import { createPatience } from "./create-patience.ts";
import { createWhose } from "./create-whose.ts";
import type { OfferedListing, OfferedListings } from "./offered-listings.ts";
import { createReadTools } from "./read-tools.ts";

/** An enabled server of the configuration and, once the pool has taken it on, its connection. */
export interface LiveServer {
  configuration: ServerConfiguration;
  upstream: Upstream | undefined;
}

/**
 * The configured servers and the catalogs merged from what they list, always current. There is one for each
 * sight (`sightOf`), and for each selection within one: what a principal may not see, or did not choose, is not in it,
 * so whatever goes by it can tell nothing of it.
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
  /** What of a server's common listing is offered, shown or not. */
  offered(server: LiveServer): OfferedListing;
  /** What of what the server lists to this client. */
  offeredTo(server: LiveServer, client: ClientPort): Promise<OfferedListing>;
  /** What the server is to be introduced with; undefined: nothing, or what it says of itself is withheld. */
  instructions(server: LiveServer): string | undefined;
  /** A tool by the name its own server gives it, shown or not. */
  ownTool(listing: Listing, name: string): Tool | undefined;
}

export interface LiveCatalog {
  /**
   * Nothing but caches is in it: one that is held while another is made for the same sight stays right.
   * @param selection as it was asked for: what counts is what it means by the presets as they are now
   */
  seenBy(principal: Principal, selection?: Selection): SeenCatalog;
  /** Something that a session's own connections list has changed. */
  forget(session: ClientSession): void;
}

export interface LiveCatalogOptions {
  pool: UpstreamPool;
  configured: () => ReadonlyMap<string, ServerConfiguration>;
  selections: Pick<Selections, "now">;
  offers: OfferedListings;
  /** Counts up when another part of a listing that is the same may be offered. */
  offersVersion: () => number;
  names: NameRule;
}

interface View {
  /** Undefined once it is kept no more. */
  catalog: () => Catalog | undefined;
  /** Uses each listing of which something is withheld: what is in use can be approved. */
  withholding: readonly (() => void)[];
  /** Whose: a session stays when the role of its principal changes. */
  sight: string;
  /** For whom, where servers may list each caller something else. */
  whose: string;
  generation: number;
  offersVersion: number;
  configured: ReadonlyMap<string, ServerConfiguration>;
}

/** How long a list waits for a server that opens a connection for the client; milliseconds. */
const patienceMs = 3_000;
/** Sessions hold their own; these are the views of clients without one. */
const mostViews = 200;
const mostCatalogs = 50;
/** Organisations, each twice: what is listed to those who may change things, and to those who may not. */
const mostSights = 400;

/** Choices of servers cost nothing to think of; the catalog of thousands of tools is some hundred kilobytes. */
const mostSelectedCatalogs = 20;
const mostSelectedSights = 50;

/** What is remembered, of all these the latest. */
interface Caches {
  catalogs: Recent<string, Catalog>;
  sights: Recent<string, SeenCatalog>;
  /** Of clients without a session. */
  views: Recent<string, View>;
  /** Whether sights and views keep what they showed last, beside `catalogs`. */
  keepsShown: boolean;
}

function createCaches(): Caches {
  return {
    catalogs: createRecent(mostCatalogs),
    sights: createRecent(mostSights),
    views: createRecent(mostViews),
    keepsShown: true,
  };
}

/** For choices: beyond a few catalogs, those are kept that somebody is to be told about. */
function createSelectedCaches(): Caches {
  return {
    catalogs: createRecentOrHeld(mostSelectedCatalogs),
    sights: createRecent(mostSelectedSights),
    views: createRecent(mostViews),
    keepsShown: false,
  };
}

export function createLiveCatalog(options: LiveCatalogOptions): LiveCatalog {
  const { pool, configured, selections, offers, offersVersion, names } = options;
  const idOf = createIds();
  const equal = createEqualListings();
  const readTools = createReadTools();
  const unselected = createCaches();
  // Clients may choose in ever other words: what that makes drives out nothing of those who choose nothing.
  const selected = createSelectedCaches();
  const sessionViews = new WeakMap<ClientSession, View>();
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
  const merge = (
    listed: readonly ListedServer[],
    catalogs: Caches["catalogs"],
    last?: Merged,
  ): Merged => {
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

  /** What most sessions are listed is the same: it is judged once. */
  const offeredOf = (
    configuration: ServerConfiguration,
    listing: Listing = emptyListing,
  ): OfferedListing => offers.of(configuration, equal(configuration.name, listing));
  const offered = ({ configuration, upstream }: LiveServer): OfferedListing =>
    offeredOf(configuration, upstream?.listing);

  /** @param principal any of that sight */
  const createSeen = (
    sight: string,
    principal: Principal,
    { catalogs, views, keepsShown }: Caches,
    selection: Selection | undefined,
  ): SeenCatalog => {
    const listsAll = mayAs(principal, "editor");
    let lastCommon: Merged | undefined;
    const isSeen = (server: ServerConfiguration): boolean =>
      seesServer(principal, server) && (selection === undefined || selection.covers(server));

    /** A server's configuration, also of one that is switched off. */
    const configurationOf = (name: string): ServerConfiguration | undefined => {
      const configuration = configured().get(name);
      return configuration !== undefined && isSeen(configuration) ? configuration : undefined;
    };
    const servers = (): LiveServer[] =>
      [...configured().values()].filter((server) => !server.disabled && isSeen(server)).map(live);
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
        const listed = servers().map((server) => ({
          name: server.configuration.name,
          prefix: server.configuration.prefix,
          listing: offered(server).listing,
        }));
        const merged = merge(listed, catalogs, lastCommon);
        if (keepsShown) lastCommon = merged;
        return asListed(merged.catalog);
      },
      async view(client) {
        const whose = whoseView(client);
        const started = {
          sight,
          whose,
          generation,
          offersVersion: offersVersion(),
          configured: configured(),
        };
        const patience = createPatience(patienceMs);
        try {
          const withholding: (() => void)[] = [];
          const listed = await Promise.all(
            servers().map(async ({ configuration, upstream }) => {
              const given = upstream && (await listingWithin(upstream, client, patience.over));
              const { listing, withheld } = offeredOf(configuration, given);
              if (withheld.size > 0) withholding.push(() => void offeredOf(configuration, given));
              const { name, prefix } = configuration;
              return { name, prefix, listing };
            }),
          );
          const catalog = asListed(merge(listed, catalogs).catalog);
          const kept = keepsShown ? () => catalog : weakly(catalog);
          const view = { catalog: kept, withholding, ...started };
          if (client.session === undefined) views.set(clientKey(client, sight, whose), view);
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
            ? views.get(clientKey(client, sight, whose))
            : sessionViews.get(client.session);
        const isCurrent =
          view?.sight === sight &&
          view.whose === whose &&
          view.generation === generation &&
          view.offersVersion === offersVersion() &&
          view.configured === configured();
        if (!isCurrent) return undefined;
        for (const use of view.withholding) use();
        return view.catalog();
      },
      shown(server) {
        const { listing } = offered(server);
        return listsAll ? listing : readTools.listing(listing, server.configuration.access);
      },
      offered,
      async offeredTo({ configuration, upstream }, client) {
        const listing = await upstream?.listingFor(client);
        return offeredOf(configuration, listing);
      },
      instructions({ configuration, upstream }) {
        // What the owner of the gateway wrote stands for what the server says of itself.
        if (configuration.instructions !== undefined) return configuration.instructions;
        const own = upstream?.instructions;
        return own !== undefined && offers.offersInstructions(configuration, own) ? own : undefined;
      },
      ownTool,
    };
  };

  return {
    seenBy(principal, asked) {
      const selection = asked && selections.now(asked);
      const caches = selection === undefined ? unselected : selected;
      const own = sightOf(principal);
      // No sight reads like a list.
      const sight = selection === undefined ? own : JSON.stringify([own, selection.key]);
      let seen = caches.sights.get(sight);
      if (seen === undefined) {
        seen = createSeen(sight, principal, caches, selection);
        caches.sights.set(sight, seen);
      }
      return seen;
    },
    forget: (session) => void sessionViews.delete(session),
  };
}

function weakly<Value extends object>(value: Value): () => Value | undefined {
  const held = new WeakRef(value);
  return () => held.deref();
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

/** After everything that is settled already. */
function soon(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
