import { isDeepStrictEqual } from "node:util";
import type { ServerConfiguration } from "../core/configuration.ts";
import type { Logger } from "../core/logger.ts";
import { superviseUpstream } from "./supervised-upstream.ts";
import { defaultTimings } from "./timings.ts";
import type { UpstreamTimings } from "./timings.ts";
import type { Upstream, UpstreamPool } from "./upstream.ts";

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
}

export interface ConfigurablePool extends UpstreamPool {
  /** A reloaded configuration: only servers whose connection changed are ended, started or both. */
  apply(servers: ReadonlyMap<string, ServerConfiguration>): void;
}

/** Connects to all enabled servers at once, each under its own supervision: none waits for another. */
export function createUpstreamPool(options: PoolOptions): ConfigurablePool {
  const timings = { ...defaultTimings, ...options.timings };
  const upstreams = new Map<string, Upstream>();
  const running = new Map<string, ServerConfiguration>();
  const listeners = new Set<() => void>();
  /** Ends that are under way, so that `close` waits for them too. */
  const ending = new Set<Promise<void>>();
  let closed = false;

  const notify = (): void => {
    for (const listener of listeners) listener();
  };
  const end = (name: string): Promise<void> => {
    const upstream = upstreams.get(name);
    upstreams.delete(name);
    running.delete(name);
    if (upstream === undefined) return Promise.resolve();
    const ended = upstream.close();
    ending.add(ended);
    return ended.finally(() => ending.delete(ended));
  };
  const start = (configuration: ServerConfiguration, after: Promise<void>): void => {
    const upstream = superviseUpstream({
      configuration,
      version: options.version,
      logger: options.logger,
      now: options.now,
      random: options.random ?? Math.random,
      timings,
      // The first change may come before the pool holds the upstream; then `apply` tells it.
      onChange: () => {
        if (upstreams.get(configuration.name) === upstream) notify();
      },
      after,
    });
    upstreams.set(configuration.name, upstream);
    running.set(configuration.name, configuration);
  };

  const apply = (servers: ReadonlyMap<string, ServerConfiguration>): void => {
    if (closed) return;
    const enabled = [...servers.values()].filter(({ disabled }) => !disabled);
    const wanted = new Set(enabled.map(({ name }) => name));
    for (const name of running.keys()) if (!wanted.has(name)) void end(name);
    for (const configuration of enabled) {
      const before = running.get(configuration.name);
      if (before === undefined) start(configuration, Promise.resolve());
      else if (!isDeepStrictEqual(connectionPart(before), connectionPart(configuration))) {
        start(configuration, end(configuration.name));
      }
    }
    notify();
  };
  apply(options.servers);

  return {
    upstreams,
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    apply,
    async close() {
      closed = true;
      for (const name of running.keys()) void end(name);
      await Promise.all(ending);
      listeners.clear();
    },
  };
}

/** What a connection depends on. A changed tag, prefix or time limit needs no restart. */
function connectionPart(configuration: ServerConfiguration): unknown {
  if (configuration.type === "http") {
    const { type, url, headers } = configuration;
    return { type, url, headers };
  }
  const { type, command, args, cwd, env } = configuration;
  return { type, command, args, cwd, env };
}
