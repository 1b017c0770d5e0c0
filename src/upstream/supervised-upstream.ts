import { isDeepStrictEqual } from "node:util";
import type { ServerConfiguration } from "../core/configuration.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import type { CallToolResult, Tool } from "../core/mcp.ts";
import { pauseAfter } from "./back-off.ts";
import { openConnection, SessionForgottenError } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { createLineTail } from "./line-tail.ts";
import type { Loss } from "./liveness.ts";
import { OpeningError } from "./opening-error.ts";
import { createSecretScrubber } from "./secret-scrubber.ts";
import type { UpstreamTimings } from "./timings.ts";
import { unavailableError } from "./unavailable-error.ts";
import type { CallOptions, Upstream, UpstreamState } from "./upstream.ts";

export interface SupervisionOptions {
  configuration: ServerConfiguration;
  version: string;
  logger: Logger;
  /** Milliseconds; any clock that does not stand still. */
  now: () => number;
  /** From 0 to 1, for the jitter of the back-off. */
  random: () => number;
  timings: UpstreamTimings;
  /** Called after the state or the tool list changed. */
  onChange: () => void;
  /** The first start waits for this: the end of the server this one replaces. */
  after: Promise<void>;
}

/**
 * Keeps one upstream server connected: starts it, starts it again with a growing pause when it failed or
 * was lost, and says at any time where it stands.
 */
export function superviseUpstream(options: SupervisionOptions): Upstream {
  const { configuration, logger, timings, now } = options;
  const { name } = configuration;
  const scrub = createSecretScrubber(configuration);
  const tail = createLineTail(scrub);
  const closing = new AbortController();
  const waiters = new Set<() => void>();
  let state: UpstreamState = { kind: "starting", attempt: 1 };
  let connection: Connection | undefined;
  let tools: readonly Tool[] = [];
  let known: Pick<Connection, "serverInfo" | "instructions"> | undefined;

  const setState = (next: UpstreamState): void => {
    state = next;
    for (const waiter of waiters) waiter();
    options.onChange();
  };
  const setTools = (next: readonly Tool[]): boolean => {
    if (isDeepStrictEqual(next, tools)) return false;
    tools = next;
    return true;
  };

  const open = async (skipProbe: boolean): Promise<Connection> => {
    const opened = await openConnection({
      configuration,
      version: options.version,
      skipProbe,
      timings,
      tail,
      scrub,
      signal: closing.signal,
      onToolsChanged() {
        if (connection !== undefined && setTools(connection.tools)) options.onChange();
      },
      onProblem: (problem) => logger.warn("Upstream problem", { server: name, problem }),
    });
    return opened;
  };

  const run = async (): Promise<void> => {
    await options.after;
    let failures = 0;
    let reason: string | undefined;
    // Known from the last start: whether asking for the modern era is of use with this server.
    let skipProbe = false;
    while (!closing.signal.aborted) {
      setState({ kind: "starting", attempt: failures + 1, ...(reason && { reason }) });
      let immediately = false;
      try {
        connection = await open(skipProbe);
        const readyAtMs = now();
        skipProbe = configuration.type === "stdio" && connection.era === "legacy";
        const loss = await serve(connection);
        connection = undefined;
        if (loss === undefined) break;
        ({ reason } = loss);
        immediately = loss.sessionForgotten;
        if (now() - readyAtMs >= timings.stableMs) failures = 0;
        logger.warn("Upstream lost", { server: name, reason });
      } catch (error) {
        if (closing.signal.aborted) break;
        if (!(error instanceof OpeningError)) throw error;
        reason = error.message;
        // Ended by the question itself: this start was spent on learning that, the next one is the first.
        immediately = error.endedInProbe;
        skipProbe = error.inProbe;
        if (!immediately) logger.warn("Upstream not available", { server: name, reason });
      }
      if (immediately) continue;
      failures++;
      const pauseMs = pauseAfter(failures, timings, options.random());
      setState({ kind: "waiting", reason, retryAtMs: now() + pauseMs, attempt: failures });
      await sleep(pauseMs, closing.signal);
    }
    setState({ kind: "stopped" });
  };

  /** Holds the connection until it is lost, or absent when it was closed. */
  const serve = async (opened: Connection): Promise<Loss | undefined> => {
    known = opened;
    setTools(opened.tools);
    setState({ kind: "ready", sinceMs: now(), era: opened.era });
    logger.info("Upstream ready", { server: name, era: opened.era, tools: tools.length });
    const loss = await Promise.race([opened.lost, aborted(closing.signal)]);
    await opened.close();
    return loss;
  };

  const finished = run().catch((error: unknown) => {
    // A bug of ours in one supervision must not take the other servers with it.
    logger.error("Upstream supervision failed", { server: name, error: String(error) });
    setState({ kind: "stopped" });
  });

  const call = async (
    params: JsonObject,
    callOptions: CallOptions,
    mayRepeat: boolean,
  ): Promise<CallToolResult> => {
    const used = connection;
    if (used === undefined || state.kind !== "ready") throw notReady();
    try {
      return await used.callTool(params, callOptions);
    } catch (error) {
      if (!(error instanceof SessionForgottenError)) throw error;
      if (!mayRepeat) throw unavailableError(name, error.message, error);
      await nextConnection(used, callOptions);
      return call(params, callOptions, false);
    }
  };

  /** Resolves when the connection is another one than `used` and ready, or cannot be had now. */
  const nextConnection = async (used: Connection, callOptions: CallOptions): Promise<void> => {
    const limit = AbortSignal.any([AbortSignal.timeout(callOptions.timeoutMs), callOptions.signal]);
    const isSettled = (): boolean => connection !== used && state.kind !== "starting";
    while (!isSettled()) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          waiters.delete(done);
          limit.removeEventListener("abort", done);
          resolve();
        };
        waiters.add(done);
        limit.addEventListener("abort", done, { once: true });
        if (limit.aborted) done();
      });
      callOptions.signal.throwIfAborted();
      if (limit.aborted) throw notReady();
    }
  };

  const notReady = (): Error => {
    switch (state.kind) {
      case "waiting":
        return unavailableError(name, state.reason);
      case "stopped":
        return unavailableError(name, "it is stopped");
      case "starting":
      case "ready":
        return unavailableError(
          name,
          state.kind === "starting" && state.reason !== undefined
            ? `it is starting again after: ${state.reason}`
            : "it is still starting",
        );
    }
  };

  return {
    name,
    get state() {
      return state;
    },
    get tools() {
      return state.kind === "ready" ? tools : [];
    },
    get serverInfo() {
      return known?.serverInfo;
    },
    get instructions() {
      return known?.instructions;
    },
    get stderrTail() {
      return tail.lines;
    },
    callTool: (params, callOptions) => call(params, callOptions, true),
    async close() {
      closing.abort();
      await finished;
    },
  };
}

function aborted(signal: AbortSignal): Promise<undefined> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve(undefined);
    else signal.addEventListener("abort", () => resolve(undefined), { once: true });
  });
}

/** Like a timer, but ends early, without an error, when the signal aborts. */
function sleep(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done, { once: true });
    if (signal.aborted) done();
  });
}
