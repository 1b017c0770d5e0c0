import { canBeAsked } from "../core/client-port.ts";
import type { ClientPort, ClientSession } from "../core/client-port.ts";
import type { ServerConfiguration } from "../core/configuration.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import type { Logger } from "../core/logger.ts";
import { emptyListing } from "../core/mcp.ts";
import type { ProtocolEra } from "../core/mcp.ts";
import type { SendHttp } from "../mcp-client/transport.ts";
import { createClientListings } from "./client-listings.ts";
import { keepCommonConnection } from "./common-connection.ts";
import { createCommonLogLevel } from "./common-log-level.ts";
import { createConnectionBudget } from "./connection-budget.ts";
import type { ConnectionBudget } from "./connection-budget.ts";
import { describeFailure } from "./failure-reason.ts";
import { createLeasedConnections } from "./leased-connections.ts";
import { createLineTail } from "./line-tail.ts";
import { createLinks } from "./link.ts";
import type { Identify } from "./link.ts";
import { openServerConnection } from "./open-server-connection.ts";
import type { ServerContext } from "./open-server-connection.ts";
import { ownConnectionOpener } from "./open-own-connection.ts";
import type { OwnConnectionsOptions } from "./own-connections.ts";
import type { Patience } from "./patience.ts";
import { createSecretScrubber } from "./secret-scrubber.ts";
import { SessionForgottenError } from "./server-connection.ts";
import type { RequestAs, ServerConnection } from "./server-connection.ts";
import { createSessionConnections } from "./session-connections.ts";
import { createSubscriptions } from "./subscriptions.ts";
import type { UpstreamTimings } from "./timings.ts";
import { unavailableError } from "./unavailable-error.ts";
import type { Upstream, UpstreamRequest } from "./upstream.ts";

/** Characters of a log message that nobody asked for. */
const longestLogged = 300;

export interface UpstreamServerOptions {
  configuration: ServerConfiguration;
  version: string;
  logger: Logger;
  /** Milliseconds; any clock that does not stand still. */
  now: () => number;
  /** From 0 to 1, for the jitter of the back-off. */
  random: () => number;
  timings: UpstreamTimings;
  /** As the pool's. */
  sendHttp: SendHttp | undefined;
  /** As the pool's. */
  identify: Identify | undefined;
  /** Connections of single clients to all servers together. */
  budget: ConnectionBudget;
  /** Called after the state or the common listing changed. */
  onChange: () => void;
  onSessionListingChanged: (session: ClientSession) => void;
  onResourceUpdated: (params: JsonObject, session: ClientSession | undefined) => void;
  /** The first start waits for this: the end of the server this one replaces. */
  after: Promise<void>;
}

export interface UpstreamServer extends Upstream {
  /** Requests under way, those that wait for a connection included. */
  readonly inFlight: number;
  /** Resolves when no request is under way; later ones are not waited for. */
  drained(): Promise<void>;
  setIdleTimeout(limitMs: number | undefined): void;
}

/** One upstream server: its common connection, those of single clients, and which request goes where. */
export function createUpstreamServer(options: UpstreamServerOptions): UpstreamServer {
  const { configuration, logger, timings } = options;
  const { name } = configuration;
  const isProcess = configuration.type === "stdio";
  const scrub = createSecretScrubber(configuration);
  const tail = createLineTail(scrub);
  const onProblem = (problem: string): void =>
    logger.warn("Upstream problem", { server: name, problem: scrub(problem) });
  const context: ServerContext = {
    name,
    links: createLinks(configuration, timings, options.sendHttp, options.identify),
    version: options.version,
    timings,
    tail,
    scrub,
    onProblem,
  };
  const subscriptions = createSubscriptions();
  const drainers: (() => void)[] = [];
  const never = new AbortController().signal;
  const ourPatience: Patience = { timeoutMs: timings.startMs, signal: never };
  let idleTimeoutMs = isProcess ? configuration.idleTimeoutMs : undefined;
  let inFlight = 0;
  let listing = emptyListing;
  let known: Pick<ServerConnection, "capabilities" | "serverInfo" | "instructions" | "problems"> = {
    capabilities: {},
    serverInfo: {},
    instructions: undefined,
    problems: [],
  };
  let wasReady = false;

  const common = keepCommonConnection({
    name,
    isProcess,
    open: (mode, signal) =>
      openServerConnection(context, {
        mode,
        signal,
        capabilities: {},
        list: true,
        reference: () => listing,
        onRelisted,
        onResourceUpdated: (params) => options.onResourceUpdated(params, undefined),
        // Whose it is, nothing says.
        onNotification: (method, params) => {
          const { data } = params;
          const said = typeof data === "string" && { data: data.slice(0, longestLogged) };
          logger.debug("Upstream says", { server: name, method, ...said });
        },
      }),
    onOpened(connection) {
      known = connection;
      wasReady = true;
      listing = connection.listing;
      listings.expire();
      void restore(connection).catch((error: unknown) => {
        onProblem(`restoring subscriptions: ${describeFailure(error)}`);
      });
    },
    onState: options.onChange,
    isBusy: () => inFlight > 0 || subscriptions.size > 0 || sessions.count + leases.count > 0,
    idleTimeoutMs,
    logger,
    now: options.now,
    random: options.random,
    timings,
    after: options.after,
  });
  const logLevel = createCommonLogLevel({
    // On a pipe nothing would say to which client a message belongs.
    tell: async (level) => {
      if (!isProcess) await common.connection?.setLogLevel(level);
    },
    onProblem,
  });

  const forwardsIdentity = !isProcess && configuration.forwardIdentity;
  const ownOptions: OwnConnectionsOptions = {
    name,
    forwardsIdentity,
    open: ownConnectionOpener(context, () => listing),
    async admitted() {
      // One that rests is known to start; it need not, for this.
      if (common.state.kind !== "idle") await common.ready(ourPatience);
    },
    budget: createConnectionBudget(
      isProcess
        ? { most: timings.mostOwnProcesses, mostOfOneOwner: timings.mostOwnProcessesOfOneOwner }
        : {
            most: timings.mostOwnConnections,
            mostOfOneOwner: timings.mostOwnConnectionsOfOneOwner,
          },
      options.budget,
    ),
    makeRoom(owner, fromOwn) {
      if (fromOwn) return leases.endIdle(owner) || sessions.endIdle(owner);
      return leases.endIdle() || sessions.endIdle() || sessions.endListening(owner);
    },
    timings,
    onProblem,
    onUse: () => common.used(),
  };
  const sessions = createSessionConnections({
    ...ownOptions,
    idleMs: () => idleTimeoutMs ?? timings.sessionIdleMs,
    onListingChanged: options.onSessionListingChanged,
    onResourceUpdated: options.onResourceUpdated,
  });
  const leases = createLeasedConnections({
    ...ownOptions,
    onRelisted(changed) {
      listings.expire();
      if (changed) options.onChange();
    },
  });

  function onRelisted(changed: boolean): void {
    const { connection } = common;
    if (connection === undefined) return;
    listings.expire();
    if (changed) {
      ({ listing } = connection);
      sessions.expireListings();
      options.onChange();
    }
    if (connection.era === "legacy") return;
    // What clients with other capabilities are listed may have changed even where this did not.
    void listings.refresh(connection);
  }
  async function restore(connection: ServerConnection): Promise<void> {
    const { uris } = subscriptions;
    if (connection.era === "modern") {
      if (uris.length > 0) await connection.watchResources(uris);
      return;
    }
    await logLevel.restore();
    for (const uri of uris) await connection.ask("resources/subscribe", { uri });
  }

  const isUndeclared = configuration.connection === "shared" && configuration.connectionWritten;
  const wantsOwn = ({ capabilities }: Pick<ClientPort, "capabilities">): boolean =>
    configuration.connection === "session" && canBeAsked(capabilities);
  /** The era it speaks: without waiting for a server that was there before and is coming back. */
  const eraFor = async (patience: Patience): Promise<ProtocolEra> =>
    common.era ?? (await common.ready(patience)).era;

  /** @param work on the common connection; called once more on the next one when the server forgot our session */
  const onCommon = async <Value>(
    patience: Patience,
    work: (connection: ServerConnection) => Promise<Value>,
    mayRepeat = true,
  ): Promise<Value> => {
    const connection = common.connection ?? (await common.ready(patience));
    try {
      return await work(connection);
    } catch (error) {
      if (!(error instanceof SessionForgottenError)) throw error;
      if (!mayRepeat) throw unavailableError(name, error.message, error);
      common.forgotten(connection);
      return onCommon(patience, work, false);
    }
  };
  const requestAs = ({ era }: ServerConnection, client: ClientPort): RequestAs | undefined => {
    if (era === "legacy" || isUndeclared) return undefined;
    return { capabilities: client.capabilities, tools: listings.known(client).tools };
  };
  /** While it works the server is neither put to rest nor taken as drained. */
  const inUse = async <Result>(work: () => Promise<Result>): Promise<Result> => {
    inFlight++;
    try {
      return await work();
    } finally {
      inFlight--;
      common.used();
      if (inFlight === 0) for (const resolve of drainers.splice(0)) resolve();
    }
  };

  const sendOnCommon = (request: UpstreamRequest): Promise<JsonObject> =>
    onCommon(request, (connection) =>
      connection.request(request, requestAs(connection, request.client)),
    );
  const sendOnOwn = async (request: UpstreamRequest): Promise<JsonObject> => {
    const { client } = request;
    if ((await eraFor(request)) === "modern") return sendOnCommon(request);
    return client.session === undefined
      ? leases.run(client, request, (connection) => connection.request(request))
      : sessions.request(request, client.session);
  };
  const listings = createClientListings({
    common,
    sessions,
    leases,
    listing: () => listing,
    wantsOwn,
    isUndeclared,
    forwardsIdentity,
    onCommon,
    ourPatience,
    ownListingMs: timings.ownListingMs,
    onChange: options.onChange,
    onFallback: (reason) =>
      logger.debug("Upstream lists for all only", { server: name, reason: scrub(reason) }),
  });
  const sharesConnection = async (client: ClientPort): Promise<boolean> =>
    client.session === undefined ||
    !wantsOwn(client.session) ||
    (await eraFor(ourPatience)) === "modern";

  return {
    name,
    get state() {
      return common.state;
    },
    get listing() {
      return listing;
    },
    get listingProblems() {
      return known.problems;
    },
    get capabilities() {
      return known.capabilities;
    },
    get serverInfo() {
      return wasReady ? known.serverInfo : undefined;
    },
    get instructions() {
      return known.instructions;
    },
    get stderrTail() {
      return tail.lines;
    },
    get connections() {
      return (common.connection === undefined ? 0 : 1) + sessions.count + leases.count;
    },
    get inFlight() {
      return inFlight;
    },
    listingFor: (client) => listings.for(client),
    request: (request) =>
      inUse(() => (wantsOwn(request.client) ? sendOnOwn(request) : sendOnCommon(request))),
    async subscribe(uri, client) {
      if (!(await sharesConnection(client)) && client.session !== undefined) {
        await sessions.subscribe(uri, client.session, client.owner);
        return "own";
      }
      await subscriptions.add(uri, client.owner, () =>
        onCommon(ourPatience, async (connection) => {
          if (connection.era === "legacy") {
            await connection.ask("resources/subscribe", { uri });
            return;
          }
          // A modern server is not asked, it would leave out of its answer what it does not offer.
          const { resources } = connection.capabilities;
          if (!isJsonObject(resources) || resources["subscribe"] !== true) {
            const message = "This server does not tell of changed resources";
            throw new RpcFault({ code: rpcCodes.methodNotFound, message });
          }
          await connection.watchResources(subscriptions.uris);
        }),
      );
      return "common";
    },
    async unsubscribe(uri, client) {
      if (client.session && (await sessions.unsubscribe(uri, client.session))) return;
      // In use to the end: a server that rests from then on must not be stopped while it still answers.
      await inUse(() =>
        subscriptions.remove(uri, client.owner, async () => {
          const { connection } = common;
          if (connection?.era === "modern") await connection.watchResources(subscriptions.uris);
          else await connection?.ask("resources/unsubscribe", { uri });
        }),
      );
    },
    async setLogLevel(level, session) {
      if (wantsOwn(session)) await sessions.setLogLevel(level, session);
      else await logLevel.set(level, session);
    },
    rootsChanged: (session) => sessions.rootsChanged(session),
    restart() {
      common.restart();
      sessions.endAll();
      leases.endAll();
    },
    async drained() {
      if (inFlight === 0) return;
      await new Promise<void>((resolve) => {
        drainers.push(resolve);
      });
    },
    setIdleTimeout(limitMs) {
      idleTimeoutMs = limitMs;
      common.setIdleTimeout(limitMs);
    },
    async close() {
      await Promise.all([common.close(), sessions.close(), leases.close()]);
      await context.links.close();
    },
  };
}
