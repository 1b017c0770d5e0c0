import { isDeepStrictEqual } from "node:util";
import type { ServerConfiguration } from "../core/configuration.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import type { CallToolResult, Tool } from "../core/mcp.ts";
import { pauseAfter } from "./back-off.ts";
import { openConnection, SessionForgottenError } from "./connection.ts";
import type { Connection } from "./connection.ts";
import { createDeferred } from "./deferred.ts";
import { createLineTail } from "./line-tail.ts";
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

/** How one connection, or the attempt to open it, ended. */
interface EndedRun {
  reason: string;
  /** How long it was ready, in milliseconds; 0 when it never was. */
  readyForMs: number;
  /** The next start need not wait, and this end is no failure to show. */
  againAtOnce: boolean;
  /** Whether the next start should not ask for the modern era. */
  skipProbe: boolean;
  /** Resolves when its processes are gone. */
  gone: Promise<void>;
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
  const closed = createDeferred<undefined>();
  const waiters = new Set<() => void>();
  let state: UpstreamState = { kind: "starting", attempt: 1 };
  let connection: Connection | undefined;
  /** The server is there and only our session is not: calls wait for the new one. */
  let reopening = false;
  let tools: readonly Tool[] = [];
  let known: Pick<Connection, "serverInfo" | "instructions"> | undefined;

  const setState = (next: UpstreamState): void => {
    state = next;
    if (next.kind !== "starting") reopening = false;
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
    let told: string | undefined;
    // Known from the last start: whether asking for the modern era is of use with this server.
    let skipProbe = false;
    while (!closing.signal.aborted) {
      setState({
        kind: "starting",
        attempt: failures + 1,
        ...(reason !== undefined && { reason }),
      });
      const ended = await runOnce(skipProbe);
      ({ skipProbe } = ended);
      if (closing.signal.aborted || ended.againAtOnce) {
        await ended.gone;
        continue;
      }
      ({ reason } = ended);
      if (ended.readyForMs >= timings.stableMs) failures = 0;
      failures++;
      // A server that stays away would fill the log with one line.
      const level = reason === told ? "debug" : "warn";
      logger[level]("Upstream not available", { server: name, reason });
      told = reason;
      const pauseMs = pauseAfter(failures, timings, options.random());
      setState({ kind: "waiting", reason, retryAtMs: now() + pauseMs, attempt: failures });
      await Promise.all([ended.gone, sleep(pauseMs, closing.signal)]);
    }
    setState({ kind: "stopped" });
  };

  /** One connection from its start to its end. */
  const runOnce = async (skipProbe: boolean): Promise<EndedRun> => {
    let opened: Connection;
    try {
      opened = await open(skipProbe);
    } catch (error) {
      if (!(error instanceof OpeningError)) throw error;
      return {
        reason: error.message,
        readyForMs: 0,
        // Ended by the question itself: this start was spent on learning that, the next one is the first.
        againAtOnce: error.endedInProbe,
        skipProbe: error.inProbe,
        gone: Promise.resolve(),
      };
    }
    const readyAtMs = now();
    connection = opened;
    known = opened;
    setTools(opened.tools);
    setState({ kind: "ready", era: opened.era });
    logger.info("Upstream ready", { server: name, era: opened.era, tools: tools.length });
    const loss = await Promise.race([opened.lost, closed.promise]);
    connection = undefined;
    reopening = loss?.sessionForgotten === true;
    return {
      reason: loss?.reason ?? "it is stopped",
      readyForMs: now() - readyAtMs,
      againAtOnce: reopening,
      skipProbe: configuration.type === "stdio" && opened.era === "legacy",
      gone: opened.close(),
    };
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
    if (connection === undefined && reopening) await reopened(callOptions);
    const used = connection;
    if (used === undefined) throw notReady();
    try {
      return await used.callTool(params, callOptions);
    } catch (error) {
      if (!(error instanceof SessionForgottenError)) throw error;
      if (!mayRepeat) throw unavailableError(name, error.message, error);
      if (connection === used) {
        // Told before we noticed ourselves that the connection is lost.
        connection = undefined;
        reopening = true;
      }
      return call(params, callOptions, false);
    }
  };

  /** Resolves when the session was opened again, or that failed. */
  const reopened = async (callOptions: CallOptions): Promise<void> => {
    const limit = AbortSignal.any([AbortSignal.timeout(callOptions.timeoutMs), callOptions.signal]);
    const mustWait = (): boolean => reopening && !limit.aborted;
    while (mustWait()) {
      await new Promise<void>((resolve) => {
        const done = (): void => {
          waiters.delete(done);
          limit.removeEventListener("abort", done);
          resolve();
        };
        waiters.add(done);
        limit.addEventListener("abort", done, { once: true });
      });
    }
    callOptions.signal.throwIfAborted();
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
      return tools;
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
      closed.resolve(undefined);
      await finished;
    },
  };
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
