import { isDeepStrictEqual } from "node:util";
import type { ClientSession } from "../core/client-port.ts";
import type { ServerConfiguration } from "../core/configuration.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import type { SendHttp } from "../mcp-client/transport.ts";
import { createConnectionBudget } from "./connection-budget.ts";
import type { Identify } from "./link.ts";
import { createListeners } from "./listeners.ts";
import { createEndings } from "./endings.ts";
import { sleepUntil } from "./sleep.ts";
import { defaultTimings, ownConnectionsInTotal } from "./timings.ts";
import type { UpstreamTimings } from "./timings.ts";
import { createUpstreamServer } from "./upstream-server.ts";
import type { UpstreamServer } from "./upstream-server.ts";
import type { UpstreamPool } from "./upstream.ts";

export interface PoolOptions {
  /** Disabled ones are left out of the pool. */
  servers: ReadonlyMap<string, ServerConfiguration>;
  logger: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Our own version, told to the servers. */
  version: string;
  random?: () => number;
  timings?: Partial<UpstreamTimings>;
  /** Sends the requests of all http and sse servers, in place of our own pool of sockets for each. */
  sendHttp?: SendHttp | undefined;
  /** Needed where a server has `forwardIdentity`: without it that server is told nothing. */
  identify?: Identify | undefined;
}

export interface ConfigurablePool extends UpstreamPool {
  /**
   * A reloaded configuration: only servers whose connection changed are ended, started or both. Requests
   * under way on an ended one are finished within a bound; new ones go to the one that takes its place.
   */
  apply(servers: ReadonlyMap<string, ServerConfiguration>): void;
}

/** Connects to all enabled servers at once, each under its own supervision: none waits for another. */
export function createUpstreamPool(options: PoolOptions): ConfigurablePool {
  const timings = { ...defaultTimings, ...options.timings };
  const budget = createConnectionBudget(ownConnectionsInTotal);
  const upstreams = new Map<string, UpstreamServer>();
  const running = new Map<string, ServerConfiguration>();
  const changes = createListeners<[]>();
  const sessionListings = createListeners<[ClientSession]>();
  const resourceUpdates = createListeners<[string, JsonObject, ClientSession | undefined]>();
  /** Ends that are under way, so that `close` waits for them too. */
  const endings = createEndings();
  const closing = new AbortController();

  /** @returns when the next one of that name may start */
  const end = (name: string): Promise<void> => {
    const upstream = upstreams.get(name);
    upstreams.delete(name);
    running.delete(name);
    if (upstream === undefined) return Promise.resolve();
    const isUnused = upstream.inFlight === 0;
    const ended = retire(upstream);
    endings.add(ended);
    // Two processes at once may get into each other's way; but nobody waits for another's long call.
    return isUnused ? ended : Promise.resolve();
  };
  const retire = async (upstream: UpstreamServer): Promise<void> => {
    const drained = new AbortController();
    void upstream.drained().then(() => drained.abort());
    await sleepUntil(AbortSignal.any([drained.signal, closing.signal]), timings.drainMs);
    await upstream.close();
  };
  const start = (configuration: ServerConfiguration, after: Promise<void>): void => {
    const { name } = configuration;
    // The first change may come before the pool holds the upstream; then `apply` tells it.
    const isCurrent = (): boolean => upstreams.get(name) === upstream;
    const upstream: UpstreamServer = createUpstreamServer({
      configuration,
      version: options.version,
      logger: options.logger,
      now: options.now,
      random: options.random ?? Math.random,
      timings,
      sendHttp: options.sendHttp,
      identify: options.identify,
      budget,
      onChange() {
        if (isCurrent()) changes.tell();
      },
      onSessionListingChanged(session) {
        if (isCurrent()) sessionListings.tell(session);
      },
      onResourceUpdated(params, session) {
        if (isCurrent()) resourceUpdates.tell(name, params, session);
      },
      after,
    });
    upstreams.set(name, upstream);
    running.set(name, configuration);
  };

  const apply = (servers: ReadonlyMap<string, ServerConfiguration>): void => {
    if (closing.signal.aborted) return;
    const enabled = [...servers.values()].filter(({ disabled }) => !disabled);
    const wanted = new Set(enabled.map(({ name }) => name));
    for (const name of running.keys()) if (!wanted.has(name)) void end(name);
    for (const configuration of enabled) {
      const { name } = configuration;
      const before = running.get(name);
      if (before === undefined) start(configuration, Promise.resolve());
      else if (!isDeepStrictEqual(connectionPart(before), connectionPart(configuration))) {
        start(configuration, end(name));
      } else {
        running.set(name, configuration);
        if (configuration.type === "stdio") {
          upstreams.get(name)?.setIdleTimeout(configuration.idleTimeoutMs);
        }
      }
    }
    changes.tell();
  };
  apply(options.servers);

  return {
    upstreams,
    onChange: (listener) => changes.add(listener),
    onSessionListingChanged: (listener) => sessionListings.add(listener),
    onResourceUpdated: (listener) => resourceUpdates.add(listener),
    apply,
    async close() {
      closing.abort();
      for (const name of running.keys()) void end(name);
      await endings.all();
      for (const listeners of [changes, sessionListings, resourceUpdates]) listeners.clear();
    },
  };
}

/** What a connection depends on. A changed tag, prefix or time limit needs no restart. */
function connectionPart(configuration: ServerConfiguration): unknown {
  const { type, connection, connectionWritten } = configuration;
  if (type !== "stdio") {
    const { url, headers, forwardIdentity } = configuration;
    return { type, connection, connectionWritten, url, headers, forwardIdentity };
  }
  const { command, args, cwd, env } = configuration;
  return { type, connection, connectionWritten, command, args, cwd, env };
}
