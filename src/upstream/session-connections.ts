import { callerKey } from "../core/client-port.ts";
import type { ClientSession } from "../core/client-port.ts";
import type { JsonObject } from "../core/json.ts";
import { emptyListing } from "../core/mcp.ts";
import type { Listing, LogLevel } from "../core/mcp.ts";
import { pauseAfter } from "./back-off.ts";
import { describeFailure } from "./failure-reason.ts";
import type { Loss } from "./liveness.ts";
import { watchIdleness } from "./idle-watch.ts";
import { createEndings } from "./endings.ts";
import { takeFrom } from "./own-connections.ts";
import type { OwnConnectionsOptions } from "./own-connections.ts";
import { waitFor } from "./patience.ts";
import { isBusy, isWorking, live, oldest } from "./session-entry.ts";
import type { SessionEntry as Entry } from "./session-entry.ts";
import { SessionForgottenError } from "./server-connection.ts";
import type { ServerConnection } from "./server-connection.ts";
import { sleepUntil } from "./sleep.ts";
import { createSubscriptions } from "./subscriptions.ts";
import { unavailableError } from "./unavailable-error.ts";
import type { UpstreamRequest } from "./upstream.ts";
import { wantsNotification } from "./wanted-notification.ts";
import { abortSignalOf } from "../core/stop-signal.ts";

export interface SessionConnectionsOptions extends OwnConnectionsOptions {
  /** After this long without use a connection is closed until the next request, in milliseconds. */
  idleMs: () => number;
  onListingChanged: (session: ClientSession) => void;
  onResourceUpdated: (params: JsonObject, session: ClientSession) => void;
}

/** One connection for each MCP session of a client that a server could ask something. */
export interface SessionConnections {
  /** How many are live. */
  readonly count: number;
  /** @throws as `Upstream.request` */
  request(request: UpstreamRequest, session: ClientSession): Promise<JsonObject>;
  /** What is listed on it; opens it when nothing was listed yet. @throws when it cannot be opened */
  listing(session: ClientSession, owner: string): Promise<Listing>;
  /** What was listed on it, as long as nothing changed. */
  knownListing(session: ClientSession): Listing | undefined;
  /** The client was shown this listing in place of its own, which could not be had. */
  toldInstead(listing: Listing, session: ClientSession): void;
  /** What is listed on connections that are closed now may have changed. */
  expireListings(): void;
  subscribe(uri: string, session: ClientSession, owner: string): Promise<void>;
  /** @returns whether the session had subscribed to it here */
  unsubscribe(uri: string, session: ClientSession): Promise<boolean>;
  setLogLevel(level: LogLevel, session: ClientSession): Promise<void>;
  rootsChanged(session: ClientSession): void;
  /**
   * Ends the one that was not used for the longest time, and is not in use; whether there was one.
   * @param owner of this principal only
   */
  endIdle(owner?: string): boolean;
  /**
   * Ends one that does nothing but wait for news of resources, of a principal that has more connections than
   * `owner`; whether there was one. It is opened again once there is room for it.
   */
  endListening(owner: string): boolean;
  /** Ends all of them, and what is under way on them; each is opened again by the next request. */
  endAll(): void;
  close(): Promise<void>;
}

export function createSessionConnections(options: SessionConnectionsOptions): SessionConnections {
  const { name, timings } = options;
  const entries = new Map<ClientSession, Entry>();
  const endings = createEndings();
  let count = 0;
  let closed = false;

  const used = (entry: Entry): void => {
    entry.usedAtMs = performance.now();
    entry.idle?.used();
    options.onUse();
  };
  const disconnect = (entry: Entry, how: "close" | "retire" = "close"): void => {
    const { connection, giveBack } = entry;
    if (connection === undefined) return;
    entry.connection = undefined;
    entry.unheard = entry.subscriptions.uris;
    entry.idle?.stop();
    count--;
    giveBack();
    endings.add(connection[how]());
    options.onUse();
  };
  const failed = (entry: Entry, reason: string): void => {
    entry.failures++;
    entry.reason = reason;
    entry.retryAtMs = performance.now() + pauseAfter(entry.failures, timings, 0);
  };
  const entryOf = (session: ClientSession, owner: string): Entry => {
    const known = entries.get(session);
    if (known !== undefined) return known;
    const entry: Entry = {
      session,
      owner,
      subscriptions: createSubscriptions(),
      stop: new AbortController(),
      connection: undefined,
      opening: undefined,
      listing: undefined,
      listedTo: "",
      told: undefined,
      idle: undefined,
      unheard: [],
      comingBack: false,
      usedAtMs: performance.now(),
      giveBack: () => undefined,
      failures: 0,
      retryAtMs: 0,
      reason: "",
    };
    if (closed || session.ended.aborted) {
      entry.stop.abort();
      return entry;
    }
    entries.set(session, entry);
    session.ended.addEventListener("abort", () => end(entry), { signal: entry.stop.signal });
    return entry;
  };
  const end = (entry: Entry): void => {
    entries.delete(entry.session);
    entry.stop.abort();
    if (entry.opening !== undefined) endings.add(entry.opening);
    disconnect(entry);
  };

  /** Tells a new connection what the client had said before. */
  const restore = async (entry: Entry, connection: ServerConnection): Promise<void> => {
    const { logLevel } = entry.session;
    if (logLevel !== undefined) await connection.setLogLevel(logLevel);
    for (const uri of entry.subscriptions.uris) {
      await connection.ask("resources/subscribe", { uri });
      // Nobody knows what it was to be told meanwhile.
      const isNews = entry.unheard.includes(uri) && entry.subscriptions.has(uri);
      if (isNews) options.onResourceUpdated({ uri }, entry.session);
    }
    entry.unheard = [];
  };
  const open = async (entry: Entry): Promise<ServerConnection> => {
    const { session, stop } = entry;
    if (stop.signal.aborted) throw unavailableError(name, "the client's session has ended");
    await options.admitted();
    if (performance.now() < entry.retryAtMs) throw unavailableError(name, entry.reason);
    const giveBack = takeFrom(options, entry.owner);
    if (giveBack === undefined) {
      throw unavailableError(name, "too many clients have a connection of their own");
    }
    let connection: ServerConnection;
    try {
      connection = await options.open({
        capabilities: session.capabilities,
        whose: () => session.caller,
        signal: stop.signal,
        onRelisted(changed) {
          if (!changed || entry.connection !== connection) return;
          // Asked while the session was another caller's, it may be what is that one's.
          const isSame = whose(session) === entry.listedTo;
          adoptListing(entry, connection.listing, isSame ? entry.listedTo : undefined);
        },
        onResourceUpdated: (params) => options.onResourceUpdated(params, session),
        onNotification(method, params) {
          const client = { era: "legacy" as const, logLevel: session.logLevel };
          if (wantsNotification(method, params, client)) session.notify(method, params);
        },
        onRequest: (method, params, signal) =>
          session.request(method, params, AbortSignal.any([abortSignalOf(signal), session.ended])),
      });
    } catch (error) {
      giveBack();
      const reason = describeFailure(error);
      failed(entry, reason);
      throw unavailableError(name, reason, error);
    }
    if (stop.signal.aborted) {
      giveBack();
      endings.add(connection.close());
      throw unavailableError(name, "the client's session has ended");
    }
    connect(entry, connection, giveBack);
    await restore(entry, connection).catch((error: unknown) => {
      options.onProblem(`restoring a client's connection: ${describeFailure(error)}`);
    });
    if (entry.listing !== undefined || entry.told !== undefined) relist(entry, connection);
    return connection;
  };
  const connect = (entry: Entry, connection: ServerConnection, giveBack: () => void): void => {
    count++;
    entry.connection = connection;
    entry.giveBack = giveBack;
    entry.idle = watchIdleness({
      limitMs: options.idleMs(),
      isBusy: () => isBusy(entry),
      onIdle: () => disconnect(entry),
    });
    used(entry);
    const openedAtMs = performance.now();
    const onLost = ({ reason, sessionForgotten }: Loss): void => {
      if (entry.connection !== connection) return;
      disconnect(entry, sessionForgotten ? "retire" : "close");
      if (performance.now() - openedAtMs >= timings.stableMs) entry.failures = 0;
      if (!sessionForgotten) failed(entry, reason);
      void comeBack(entry);
    };
    void connection.lost.then(onLost);
  };
  /** Opens a lost connection again on which the client waits for news of resources. */
  const comeBack = async (entry: Entry): Promise<void> => {
    if (entry.comingBack) return;
    entry.comingBack = true;
    await untilBack(entry);
    entry.comingBack = false;
  };
  const untilBack = async (entry: Entry): Promise<void> => {
    for (let attempt = 1; entry.subscriptions.size > 0; attempt++) {
      const pauseMs = Math.max(0, entry.retryAtMs - performance.now());
      await sleepUntil(entry.stop.signal, Math.max(pauseMs, pauseAfter(attempt, timings, 0)));
      if (entry.stop.signal.aborted || entry.connection !== undefined) return;
      // It ends no other for itself: that one would do the same.
      if (options.budget.room(entry.owner) !== "free") continue;
      if (await connected(entry).then(Boolean, () => false)) return;
    }
  };
  const connected = async (entry: Entry): Promise<ServerConnection> => {
    const connection = live(entry);
    if (connection !== undefined) return connection;
    entry.opening ??= open(entry).finally(() => {
      entry.opening = undefined;
    });
    return entry.opening;
  };

  const whose = ({ caller }: ClientSession): string =>
    options.forwardsIdentity && caller !== undefined ? callerKey(caller) : "";
  const adoptListing = (entry: Entry, listing: Listing, listedTo?: string): void => {
    const before = entry.listing ?? entry.told;
    entry.listing = listing;
    entry.listedTo = listedTo;
    entry.told = undefined;
    if (before !== undefined && before !== listing) options.onListingChanged(entry.session);
  };
  const relist = (entry: Entry, connection: ServerConnection): void => {
    const listedTo = whose(entry.session);
    connection.list().then(
      (listing) => adoptListing(entry, listing, listedTo),
      (error: unknown) => options.onProblem(`listing: ${describeFailure(error)}`),
    );
  };

  const attempt = async (
    entry: Entry,
    request: UpstreamRequest,
    mayRepeat: boolean,
  ): Promise<JsonObject> => {
    const connection =
      live(entry) ??
      (await waitFor(connected(entry), request, () =>
        unavailableError(name, "the client's own connection is still being opened"),
      ));
    used(entry);
    try {
      return await connection.request(request);
    } catch (error) {
      if (!(error instanceof SessionForgottenError)) throw error;
      if (!mayRepeat) throw unavailableError(name, error.message, error);
      // Told before we noticed ourselves that the connection is lost.
      if (entry.connection === connection) disconnect(entry, "retire");
      return attempt(entry, request, false);
    } finally {
      used(entry);
    }
  };

  return {
    get count() {
      return count;
    },
    request: (request, session) => attempt(entryOf(session, request.client.owner), request, true),
    async listing(session, owner) {
      const entry = entryOf(session, owner);
      const listedTo = whose(session);
      const isOfAnother = entry.listing !== undefined && entry.listedTo !== listedTo;
      if (entry.listing === undefined || isOfAnother) {
        const connection = await connected(entry);
        const listing = await connection.list(isOfAnother);
        if (entry.listing === undefined || isOfAnother) adoptListing(entry, listing, listedTo);
      }
      return entry.listing ?? emptyListing;
    },
    knownListing(session) {
      const entry = entries.get(session);
      return entry?.listedTo === whose(session) ? entry.listing : undefined;
    },
    toldInstead(listing, session) {
      const entry = entries.get(session);
      if (entry !== undefined && entry.listing === undefined) entry.told = listing;
    },
    expireListings() {
      for (const entry of entries.values()) {
        if (entry.connection !== undefined || entry.listing === undefined) continue;
        entry.told = entry.listing;
        entry.listing = undefined;
      }
    },
    async subscribe(uri, session, owner) {
      const entry = entryOf(session, owner);
      await entry.subscriptions.add(uri, owner, async () => {
        const connection = await connected(entry);
        await connection.ask("resources/subscribe", { uri });
      });
      used(entry);
    },
    async unsubscribe(uri, session) {
      const entry = entries.get(session);
      if (entry === undefined || !entry.subscriptions.has(uri)) return false;
      await entry.subscriptions.remove(uri, entry.owner, async () => {
        await entry.connection?.ask("resources/unsubscribe", { uri });
      });
      used(entry);
      return true;
    },
    async setLogLevel(level, session) {
      await entries.get(session)?.connection?.setLogLevel(level);
    },
    rootsChanged(session) {
      entries.get(session)?.connection?.notify("notifications/roots/list_changed", {});
    },
    endIdle(owner) {
      const idle = oldest(
        entries.values(),
        (entry) => !isBusy(entry) && (owner ?? entry.owner) === entry.owner,
      );
      if (idle !== undefined) disconnect(idle);
      return idle !== undefined;
    },
    endListening(owner) {
      const counts = new Map<string, number>();
      for (const entry of entries.values()) {
        if (entry.connection === undefined) continue;
        counts.set(entry.owner, (counts.get(entry.owner) ?? 0) + 1);
      }
      const most = Math.max(...counts.values(), counts.get(owner) ?? 0);
      const listening = oldest(
        entries.values(),
        (entry) => !isWorking(entry) && entry.owner !== owner && counts.get(entry.owner) === most,
      );
      if (listening === undefined || most === counts.get(owner)) return false;
      disconnect(listening);
      void comeBack(listening);
      return true;
    },
    endAll() {
      for (const entry of entries.values()) {
        disconnect(entry);
        void comeBack(entry);
      }
    },
    async close() {
      closed = true;
      for (const entry of entries.values()) end(entry);
      await endings.all();
    },
  };
}
