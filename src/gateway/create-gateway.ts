import type { Door } from "../auth/door.ts";
import type { AuditSink } from "../core/audit.ts";
import type { CallLimits } from "../core/call-limits.ts";
import type { CallMetrics } from "../core/call-metrics.ts";
import type { Catalog, NameRule } from "../core/catalog.ts";
import type { AuthConfiguration, Presets, ServerConfiguration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { managesServer, requireRole } from "../core/permissions.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { Principal } from "../core/principal.ts";
import { renderInstructions } from "../core/render-instructions.ts";
import { createSelections } from "../core/selection.ts";
import { hideCredential } from "../core/shown-credential.ts";
import { quotedName } from "../core/terminal-text.ts";
import { timeOrderedId } from "../core/time-ordered-id.ts";
import type { UpstreamPool } from "../upstream/upstream.ts";
import { createBeyondScopes, promptNamed, serverNamed, toolNamed } from "./beyond-scopes.ts";
import { createCallDecisions } from "./call-decisions.ts";
import { createCallRecord } from "./call-record.ts";
import { createExchange } from "./exchange.ts";
import type { CallerContext, Gateway, ServerDetail } from "./gateway.ts";
import { createListChanges } from "./list-changes.ts";
import { createLiveCatalog } from "./live-catalog.ts";
import type { LiveServer, SeenCatalog } from "./live-catalog.ts";
import { createOfferedListings } from "./offered-listings.ts";
import { summariesOf } from "./preset-view.ts";
import { createRefusalRecord } from "./refusal-record.ts";
import { RequestFault } from "./request-fault.ts";
import { createResourceRequests } from "./resource-requests.ts";
import { createRoutes, findServer, listedTool } from "./routes.ts";
import type { Routes } from "./routes.ts";
import { availabilityOf, detailOf, statusOf, summaryOf } from "./server-view.ts";
import type { Showing } from "./server-view.ts";
import { createSubscriptions } from "./subscriptions.ts";
import { createToolCalls } from "./tool-calls.ts";
import type { ToolPins } from "./tool-pins.ts";

export interface GatewayOptions {
  door: Pick<Door, "ways" | "authenticate">;
  pool: UpstreamPool;
  /** The configured servers as they are now, another map after each reload; asked for at each use, so it needs no telling. */
  servers: () => ReadonlyMap<string, ServerConfiguration>;
  /** The configured presets as they are now, another map after each reload; none unless given. */
  presets?: (() => Presets) | undefined;
  /** What every server was when it was approved; nothing is withheld unless given. */
  pins?: ToolPins | undefined;
  /** The configured ways to sign in as they are now: their secrets must not stand in the audit. */
  auth: () => readonly AuthConfiguration[];
  audit: AuditSink;
  /** How many calls may be made; all unless given. */
  limits?: CallLimits | undefined;
  /** Told of each call beside its audit row. */
  metrics?: CallMetrics | undefined;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** A UUID of version 4. */
  newId: () => string;
  /** Unguessable. */
  randomBytes: (count: number) => Uint8Array;
  logger: Logger;
  /** How long `started` waits for servers that are neither ready nor failed; milliseconds. */
  startWindowMs?: number | undefined;
  /** `own`: names and URIs of its one server go through as they are; "prefixed" unless given. */
  names?: NameRule | undefined;
}

type Seeing = Pick<CallerContext, "principal" | "selection">;

const noPresets: Presets = new Map();
const defaultStartWindowMs = 5_000;
/** What is refused to who has no role, as the subject of a sentence. */
const looking = "Seeing what there is";
const managing = "Managing servers";

export function createGateway(options: GatewayOptions): Gateway {
  const { door, pool, servers, audit, limits, now, newId, logger, names = "prefixed" } = options;
  const { presets = () => noPresets, pins } = options;
  const offers = createOfferedListings(pins);
  const selections = createSelections(presets);
  const catalog = createLiveCatalog({
    pool,
    configured: servers,
    selections,
    offers,
    offersVersion: () => pins?.version ?? 0,
    names,
  });
  const seenBy = ({ principal, selection }: Seeing): SeenCatalog =>
    catalog.seenBy(principal, selection);
  const routesIn = createRoutesCache(names);
  /** @throws AppError `forbidden` to who has no role: it can neither see nor ask anything */
  const seenFor = (caller: CallerContext, what: string): SeenCatalog => {
    requireRole(caller.principal, "viewer", what);
    return seenBy(caller);
  };
  const routesFor = (caller: CallerContext, what: string): Routes =>
    routesIn(seenFor(caller, what));

  const viewFor = async (caller: CallerContext): Promise<Catalog> => {
    const view = await seenFor(caller, looking).view(caller.client);
    changes.listed(caller, view);
    return view;
  };

  const beyond = createBeyondScopes((principal, selection) => catalog.seenBy(principal, selection));
  const exchange = createExchange(options);
  const subscriptions = createSubscriptions({ pool, catalog, logger });
  const resources = createResourceRequests({ routesFor, beyond, exchange, subscriptions });
  const newRowId = (): string => timeOrderedId(now(), newId());
  const refusals = createRefusalRecord({ audit, now, newId: newRowId });
  const callTool = createToolCalls({
    seenBy,
    routesIn,
    decisions: createCallDecisions(limits),
    beyond,
    exchange,
    record: createCallRecord({ ...options, newId: newRowId, refusals }),
    names,
    now,
  });

  const everything = (): SeenCatalog => catalog.seenBy(systemPrincipal);
  const isSettled = (): boolean =>
    everything()
      .servers()
      .every(({ upstream }) => availabilityOf(upstream).state !== "starting");

  const warnOf = createCollisionWarning(logger);
  warnOf(everything().common());
  const changes = createListChanges({
    pool,
    catalog,
    configured: servers,
    onEverything: warnOf,
  });
  const start = createStart(options.startWindowMs ?? defaultStartWindowMs);
  const stopHearingOffers = pins?.onChange(() => changes.offersChanged());
  const stopWatching = pool.onChange(() => {
    if (isSettled()) start.mark();
  });
  if (isSettled()) start.mark();

  return {
    get signInWays() {
      return door.ways;
    },
    authenticate: (credentials) => door.authenticate(credentials),
    selectionOf: (request) => selections.of(request),
    presets(caller) {
      const { principal } = caller;
      requireRole(principal, "viewer", looking);
      return summariesOf(presets(), { principal, configured: servers() });
    },

    async list(caller, kind) {
      return (await viewFor(caller)).listings[caller.client.era][kind];
    },
    async listTools(caller) {
      const { listings, tools } = await viewFor(caller);
      return listings[caller.client.era].tools.map((tool) => ({
        server: tools.get(tool.name)?.server ?? "",
        tool,
      }));
    },
    exposedTool(caller, exposedName) {
      const { client } = caller;
      const seen = seenBy(caller);
      return (seen.known(client) ?? seen.common()).tools.get(exposedName)?.entry;
    },
    listServers(caller) {
      const seen = seenFor(caller, looking);
      return seen.servers().map((server) => {
        const { size } = seen.offered(server).withheld;
        const summary = summaryOf(server, seen.shown(server));
        return size === 0 ? summary : Object.assign(summary, { withheld: size });
      });
    },
    serverStatus(caller) {
      const { principal } = caller;
      requireRole(principal, "admin", managing);
      const seen = seenBy(caller);
      return seen.servers().map((server) => statusOf(server, showing(seen, principal, server)));
    },
    restartServer(caller, name) {
      const { principal } = caller;
      requireRole(principal, "admin", managing);
      const { configuration, upstream } = findServer(seenBy(caller), name);
      if (!managesServer(principal, configuration)) throw sharedServer(name);
      upstream?.restart();
    },
    inspectServer(caller, name) {
      const { principal } = caller;
      return beyond.explainNow(caller, serverNamed(name), () => {
        const seen = seenFor(caller, looking);
        return detailFor(seen, principal)(findServer(seen, name));
      });
    },
    inspectTool(caller, server, tool) {
      const named = toolNamed({ server, tool }, { calls: false });
      return beyond.explainNow(caller, named, () =>
        listedTool(seenFor(caller, looking), server, tool),
      );
    },

    callTool,
    async getPrompt(caller, { params, ...request }) {
      const { name: exposedName } = params;
      const { client } = caller;
      const {
        name,
        entry: _entry,
        ...target
      } = await beyond.explain(caller, promptNamed(exposedName), async () => {
        const routes = routesFor(caller, "Getting a prompt");
        if (typeof exposedName === "string") return routes.prompt(client, exposedName);
        throw new RequestFault("params.name must be a string");
      });
      const sent = { ...params, name };
      return exchange.send(caller, {
        ...request,
        target,
        method: "prompts/get",
        name,
        params: sent,
      });
    },
    readResource: (caller, request) => resources.read(caller, request),
    complete: (caller, request) => resources.complete(caller, request),
    subscribeResource: (caller, uri, onUpdated) => resources.subscribe(caller, uri, onUpdated),

    setLogLevel(caller, level) {
      const { session } = caller.client;
      const seen = seenFor(caller, "Setting the log level");
      if (session === undefined) return;
      for (const { upstream } of seen.servers()) {
        upstream?.setLogLevel(level, session).catch((error: unknown) => {
          logger.debug("A server was not told the log level", { server: upstream.name, error });
        });
      }
    },
    rootsChanged({ principal, client: { session } }) {
      if (session === undefined) return;
      // It is a fact about the client, and told to those alone that it opened a connection to.
      const seen = catalog.seenBy(principal);
      for (const { upstream } of seen.servers()) upstream?.rootsChanged(session);
    },

    recordRefusal(toolName, { principal, clientName, sessionId, projectId, credential }) {
      const { userId = null, organizationId = null } = principal ?? {};
      const said = (text: string): string => hideCredential(text, credential);
      refusals.add({
        toolName: said(toolName),
        timeMs: now(),
        durationMs: 0,
        userId,
        organizationId,
        clientName: said(clientName),
        sessionId: sessionId && said(sessionId),
        projectId: projectId && said(projectId),
      });
    },
    flushRefusals: () => refusals.flush(),

    instructions(caller, audience) {
      const seen = seenFor(caller, looking);
      return renderInstructions(seen.servers().map(detailFor(seen, caller.principal)), audience);
    },
    collisions: (caller) => seenFor(caller, looking).common().collisions,
    get settled() {
      return isSettled();
    },
    started: start.done,
    onListsChanged: (caller, listener) => changes.onChanged(caller, listener),
    close() {
      stopWatching();
      stopHearingOffers?.();
      changes.close();
      exchange.close();
      refusals.flush();
    },
  };
}

/** The ways in what a principal sees, made once for each. */
function createRoutesCache(names: NameRule): (seen: SeenCatalog) => Routes {
  const known = new WeakMap<SeenCatalog, Routes>();
  return (seen) => {
    let routes = known.get(seen);
    if (routes === undefined) {
      routes = createRoutes(seen, names);
      known.set(seen, routes);
    }
    return routes;
  };
}

function detailFor(seen: SeenCatalog, principal: Principal): (server: LiveServer) => ServerDetail {
  return (server) => detailOf(server, showing(seen, principal, server));
}

function showing(seen: SeenCatalog, principal: Principal, server: LiveServer): Showing {
  return {
    shown: seen.shown(server),
    instructions: seen.instructions(server),
    offered: seen.offered(server),
    catalog: seen.common(),
    manages: managesServer(principal, server.configuration),
  };
}

/** Its restart would end the calls of others. */
function sharedServer(name: string): AppError {
  const shown = quotedName(name);
  return new AppError("forbidden", `Server ${shown} is not your organisation's alone to manage`, {
    hint: "The owner of the gateway can do it",
  });
}

/** Logs each collision once for as long as it lasts. */
function createCollisionWarning(logger: Logger): (catalog: Catalog) => void {
  let known: ReadonlySet<string> = new Set();
  return ({ collisions }) => {
    for (const collision of collisions) {
      if (!known.has(collision)) logger.warn("A name is taken", { collision });
    }
    known = new Set(collisions);
  };
}

/** A promise that is kept when marked, or when the window is over. Holds no process open. */
function createStart(windowMs: number): { done: Promise<void>; mark(): void } {
  let keep: (() => void) | undefined;
  const done = new Promise<void>((resolve) => {
    keep = resolve;
  });
  const window = setTimeout(() => keep?.(), windowMs);
  window.unref();
  return {
    done,
    mark() {
      clearTimeout(window);
      keep?.();
    },
  };
}
