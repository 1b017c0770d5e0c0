import type { Logger } from "../core/logger.ts";
import type { ProtocolEra } from "../core/mcp.ts";
import { timeLimit } from "../core/time-limit.ts";
import { pauseAfter } from "./back-off.ts";
import { createDeferred } from "./deferred.ts";
import { watchIdleness } from "./idle-watch.ts";
import type { IdleWatch } from "./idle-watch.ts";
import { createEndings } from "./endings.ts";
import { OpeningError } from "./opening-error.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { Patience } from "./patience.ts";
import { sleepUntil } from "./sleep.ts";
import type { UpstreamTimings } from "./timings.ts";
import { unavailableError } from "./unavailable-error.ts";
import type { UpstreamState } from "./upstream.ts";

export interface CommonConnectionOptions {
  name: string;
  /** A process is not asked for the modern era again once it has shown that it does not know it. */
  isProcess: boolean;
  /** @throws OpeningError */
  open: (mode: "auto" | "legacy", signal: AbortSignal) => Promise<ServerConnection>;
  /** Called with each connection that was opened, before anybody else sees it. */
  onOpened: (connection: ServerConnection) => void;
  onState: () => void;
  /** Whether it must not be stopped for idleness now. */
  isBusy: () => boolean;
  idleTimeoutMs: number | undefined;
  logger: Logger;
  /** Milliseconds; any clock that does not stand still. */
  now: () => number;
  /** From 0 to 1, for the jitter of the back-off. */
  random: () => number;
  timings: UpstreamTimings;
  /** The first start waits for this: the end of the server this one replaces. */
  after: Promise<void>;
}

/** The connection of all clients together, kept alive. */
export interface CommonConnection {
  readonly state: UpstreamState;
  readonly connection: ServerConnection | undefined;
  /** As the last connection settled it; undefined until there was one. */
  readonly era: ProtocolEra | undefined;
  /**
   * The live connection. Waits for it while it is there again at once: started because it was idle, or
   * opened again because the server forgot our session, or an administrator said so.
   * @throws AppError `upstream_unavailable`, the signal's reason
   */
  ready(patience: Patience): Promise<ServerConnection>;
  /** Why there is no connection, as an error for a caller. */
  unavailable(): Error;
  /** A request on this connection was told that the server forgot our session. */
  forgotten(connection: ServerConnection): void;
  /** Something was begun or finished on it, or on a connection of a single client. */
  used(): void;
  setIdleTimeout(limitMs: number | undefined): void;
  restart(): void;
  close(): Promise<void>;
}

/** How one connection, or the attempt to open it, ended. */
type EndedRun =
  | {
      kind: "failed";
      reason: string;
      /** How long it was ready, in milliseconds; 0 when it never was. */
      readyForMs: number;
      gone: Promise<void>;
    }
  /** The next start need not wait, and this end is no failure to show. */
  | { kind: "again"; gone: Promise<void> }
  | { kind: "idle"; era: ProtocolEra; gone: Promise<void> };

/** What ends a run from outside. */
type Order = "close" | "restart" | "idle";

/**
 * Keeps one connection: starts it, starts it again with a growing pause when it failed or was lost, stops it
 * while nobody needs it, and says at any time where it stands.
 */
export function keepCommonConnection(options: CommonConnectionOptions): CommonConnection {
  const { name, logger, timings, now } = options;
  const closing = new AbortController();
  const endings = createEndings();
  const waiters = new Set<() => void>();
  let state: UpstreamState = { kind: "starting", attempt: 1 };
  let connection: ServerConnection | undefined;
  let era: ProtocolEra | undefined;
  /** It is there again at once: callers wait for it. */
  let expected = false;
  /** It was stopped because nobody used it, or is about to be: a caller starts it. */
  let resting = false;
  let order = createDeferred<Order>();
  /** Ends the pause between two starts, or the rest of an idle one. */
  let hurry = new AbortController();
  let opening = new AbortController();
  let failures = 0;
  let skipProbe = false;
  let idleLimitMs = options.idleTimeoutMs;
  let idle: IdleWatch | undefined;

  const setState = (next: UpstreamState): void => {
    state = next;
    if (next.kind !== "starting" && next.kind !== "idle") expected = false;
    for (const waiter of waiters) waiter();
    options.onState();
  };
  const isClosing = (): boolean => closing.signal.aborted;
  const watchIdle = (): void => {
    idle?.stop();
    idle = undefined;
    if (idleLimitMs === undefined || connection === undefined) return;
    const { resolve } = order;
    idle = watchIdleness({
      limitMs: idleLimitMs,
      isBusy: options.isBusy,
      onIdle() {
        // At once, so that no request takes the connection that is about to go.
        connection = undefined;
        resting = true;
        resolve("idle");
      },
    });
  };

  /** One connection from its start to its end. */
  const runOnce = async (): Promise<EndedRun> => {
    let opened: ServerConnection;
    opening = new AbortController();
    const signal = AbortSignal.any([closing.signal, opening.signal]);
    try {
      opened = await options.open(skipProbe ? "legacy" : "auto", signal);
    } catch (error) {
      if (!(error instanceof OpeningError)) throw error;
      const gone = Promise.resolve();
      if (opening.signal.aborted) return { kind: "again", gone };
      skipProbe = error.inProbe;
      // Ended by the question itself: this start was spent on learning that, the next one is the first.
      if (error.endedInProbe) return { kind: "again", gone };
      return { kind: "failed", reason: error.message, readyForMs: 0, gone };
    }
    const readyAtMs = now();
    ({ era } = opened);
    connection = opened;
    skipProbe = options.isProcess && era === "legacy";
    options.onOpened(opened);
    watchIdle();
    setState({ kind: "ready", era });
    logger.info("Upstream ready", { server: name, era, tools: opened.listing.tools.length });
    const ending = await Promise.race([opened.lost, order.promise]);
    connection = undefined;
    idle?.stop();
    if (typeof ending !== "string" && ending.sessionForgotten) {
      expected = true;
      // The other requests under way on it are about to be told the same, each by its own answer.
      endings.add(opened.retire());
      return { kind: "again", gone: Promise.resolve() };
    }
    const gone = opened.close();
    if (ending === "idle") return { kind: "idle", era, gone };
    if (typeof ending === "string") return { kind: "again", gone };
    return { kind: "failed", reason: ending.reason, readyForMs: now() - readyAtMs, gone };
  };

  const run = async (): Promise<void> => {
    await options.after;
    let reason: string | undefined;
    let told: string | undefined;
    while (!isClosing()) {
      order = createDeferred();
      hurry = new AbortController();
      resting = false;
      setState({
        kind: "starting",
        attempt: failures + 1,
        ...(reason !== undefined && { reason }),
      });
      const ended = await runOnce();
      if (isClosing() || ended.kind === "again") {
        await ended.gone;
        continue;
      }
      const stop = AbortSignal.any([closing.signal, hurry.signal]);
      if (ended.kind === "idle") {
        reason = undefined;
        failures = 0;
        setState({ kind: "idle", era: ended.era });
        await Promise.all([ended.gone, sleepUntil(stop)]);
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
      await Promise.all([ended.gone, sleepUntil(stop, pauseMs)]);
    }
    setState({ kind: "stopped" });
  };
  const finished = run().catch((error: unknown) => {
    // A bug of ours in one supervision must not take the other servers with it.
    logger.error("Upstream supervision failed", { server: name, error: String(error) });
    setState({ kind: "stopped" });
  });

  const unavailable = (): Error => {
    switch (state.kind) {
      case "waiting":
        return unavailableError(name, state.reason);
      case "stopped":
        return unavailableError(name, "it is stopped");
      case "starting":
      case "ready":
      case "idle": {
        const reason = state.kind === "starting" ? state.reason : undefined;
        return unavailableError(
          name,
          reason === undefined ? "it is still starting" : `it is starting again after: ${reason}`,
        );
      }
    }
  };
  /** Resolves after the next change of the state, or when the signal aborts. */
  const changed = (limit: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      const done = (): void => {
        waiters.delete(done);
        limit.removeEventListener("abort", done);
        resolve();
      };
      waiters.add(done);
      limit.addEventListener("abort", done, { once: true });
      if (limit.aborted) done();
    });
  /** Starts it when it is idle; whether it is worth waiting for. */
  const wake = (): boolean => {
    if (resting && !isClosing()) {
      expected = true;
      hurry.abort();
    }
    return expected;
  };
  const waitReady = async ({ timeoutMs, signal }: Patience): Promise<ServerConnection> => {
    const limit = timeLimit(timeoutMs, signal);
    const worthWaiting = (): boolean => connection === undefined && wake() && !limit.aborted;
    while (worthWaiting()) await changed(limit);
    signal.throwIfAborted();
    if (connection === undefined) throw unavailable();
    return connection;
  };

  return {
    get state() {
      return state;
    },
    get connection() {
      return connection;
    },
    get era() {
      return era;
    },
    async ready(patience) {
      return connection ?? (await waitReady(patience));
    },
    unavailable,
    forgotten(used) {
      if (connection !== used) return;
      // Told before we noticed ourselves that the connection is lost.
      connection = undefined;
      expected = true;
    },
    used: () => idle?.used(),
    setIdleTimeout(limitMs) {
      idleLimitMs = limitMs;
      watchIdle();
    },
    restart() {
      if (isClosing()) return;
      failures = 0;
      expected = true;
      connection = undefined;
      order.resolve("restart");
      opening.abort();
      hurry.abort();
    },
    async close() {
      closing.abort();
      order.resolve("close");
      await finished;
      await endings.all();
    },
  };
}
