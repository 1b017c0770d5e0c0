import type { ClientPort } from "../core/client-port.ts";
import { AppError } from "../core/errors.ts";
import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import { describeFailure } from "./failure-reason.ts";
import { createEndings } from "./endings.ts";
import { leaseKey, takeFrom } from "./own-connections.ts";
import type { OwnConnectionsOptions } from "./own-connections.ts";
import type { Patience } from "./patience.ts";
import { waitFor } from "./patience.ts";
import { SessionForgottenError } from "./server-connection.ts";
import type { ServerConnection } from "./server-connection.ts";
import { unavailableError } from "./unavailable-error.ts";
import { wantsNotification } from "./wanted-notification.ts";

export interface LeasedConnectionsOptions extends OwnConnectionsOptions {
  /** A server announced on one of them that lists changed. @param changed whether what it lists there did */
  onRelisted: (changed: boolean) => void;
}

/**
 * Connections for clients without an MCP session (2026-07-28, REST) that a server could ask something: each
 * is exclusively one request's while that runs, and is then kept a short while for another request of the
 * same principal with the same capabilities.
 */
export interface LeasedConnections {
  /** How many are live. */
  readonly count: number;
  /**
   * Runs `work` on a connection that is nobody else's meanwhile. One that a server had forgotten is replaced
   * and `work` called once more.
   * @throws what `work` throws, AppError `upstream_unavailable`
   */
  run<Value>(
    client: ClientPort,
    patience: Patience,
    work: (connection: ServerConnection) => Promise<Value>,
  ): Promise<Value>;
  /** Ends one that waits for a request, of this principal if one is named; whether there was one. */
  endIdle(owner?: string): boolean;
  /** Ends all of them, and what is under way on them. */
  endAll(): void;
  close(): Promise<void>;
}

interface Lease {
  readonly key: string;
  readonly owner: string;
  readonly connection: ServerConnection;
  readonly giveBack: () => void;
  /** Whose request runs on it; undefined: it waits for one. */
  holder: ClientPort | undefined;
  /** Whose request ran on it last. */
  last: ClientPort;
  timer: NodeJS.Timeout | undefined;
}

export function createLeasedConnections(options: LeasedConnectionsOptions): LeasedConnections {
  const { name, timings } = options;
  const live = new Set<Lease>();
  const endings = createEndings();
  const closing = new AbortController();
  /** How many requests of a principal are under way, those for which a connection is being opened included. */
  const underWay = new Map<string, number>();

  const end = (lease: Lease): void => {
    if (!live.delete(lease)) return;
    clearTimeout(lease.timer);
    lease.giveBack();
    endings.add(lease.connection.close());
    options.onUse();
  };
  const open = async (client: ClientPort, key: string): Promise<Lease> => {
    if (closing.signal.aborted) throw unavailableError(name, "it is stopped");
    await options.admitted();
    const giveBack = takeFrom(options, client.owner);
    if (giveBack === undefined) {
      throw unavailableError(name, "too many clients have a connection of their own");
    }
    let lease: Lease | undefined;
    // The server may speak before the lease is there: then, too, it speaks to the first holder.
    const holder = (): ClientPort | undefined => (lease === undefined ? client : lease.holder);
    try {
      const connection = await options.open({
        capabilities: client.capabilities,
        whose: () => (lease?.last ?? client).caller,
        signal: closing.signal,
        onRelisted: options.onRelisted,
        onResourceUpdated: () => undefined,
        onNotification(method, params) {
          const to = holder();
          if (to !== undefined && wantsNotification(method, params, to)) to.notify(method, params);
        },
        async onRequest(method, params, signal) {
          const to = holder();
          if (to === undefined) {
            throw new RpcFault({ code: rpcCodes.methodNotFound, message: "Nobody to ask" });
          }
          return to.request(method, params, signal);
        },
      });
      const { owner } = client;
      lease = { key, owner, connection, giveBack, holder: client, last: client, timer: undefined };
    } catch (error) {
      giveBack();
      throw unavailableError(name, describeFailure(error), error);
    }
    const opened = lease;
    live.add(opened);
    void opened.connection.lost.then(() => end(opened));
    if (closing.signal.aborted) end(opened);
    options.onUse();
    return opened;
  };
  const waiting = (key: string): Lease | undefined => {
    for (const lease of live) {
      if (lease.holder === undefined && lease.key === key) return lease;
    }
    return undefined;
  };
  const acquire = async (client: ClientPort, patience: Patience): Promise<Lease> => {
    const key = leaseKey(client, options.forwardsIdentity);
    const kept = waiting(key);
    if (kept !== undefined) {
      clearTimeout(kept.timer);
      kept.holder = client;
      kept.last = client;
      return kept;
    }
    const opening = open(client, key);
    try {
      return await waitFor(opening, patience, () =>
        unavailableError(name, "a connection for this client is still being opened"),
      );
    } catch (error) {
      // Whoever asked has gone: what is opened for nobody may serve the next.
      opening.then(release, () => undefined);
      throw error;
    }
  };
  const release = (lease: Lease): void => {
    if (!live.has(lease)) return;
    lease.holder = undefined;
    lease.timer = setTimeout(() => end(lease), timings.leaseIdleMs);
    lease.timer.unref();
    options.onUse();
  };
  /** A connection on which something is left over from this request serves no other. */
  const isClean = ({ connection }: Lease): boolean =>
    connection.inFlight === 0 && connection.openQuestions === 0;
  const attempt = async <Value>(
    client: ClientPort,
    patience: Patience,
    work: (connection: ServerConnection) => Promise<Value>,
    mayRepeat: boolean,
  ): Promise<Value> => {
    const lease = await acquire(client, patience);
    try {
      const value = await work(lease.connection);
      if (isClean(lease)) release(lease);
      else end(lease);
      return value;
    } catch (error) {
      // A server's own error leaves the connection as it was.
      if (error instanceof RpcFault && isClean(lease)) release(lease);
      else end(lease);
      if (!(error instanceof SessionForgottenError)) throw error;
      if (!mayRepeat) throw unavailableError(name, error.message, error);
      // The server that forgot one forgot those that wait as well.
      for (const other of live) if (other.holder === undefined) end(other);
      return attempt(client, patience, work, false);
    }
  };

  const endAll = (): void => {
    for (const lease of live) end(lease);
  };

  return {
    get count() {
      return live.size;
    },
    async run(client, patience, work) {
      const { owner } = client;
      const running = underWay.get(owner) ?? 0;
      if (running === timings.mostLeasesOfOneOwner) {
        throw new AppError(
          "upstream_unavailable",
          `Server ${JSON.stringify(name)} is asked too much at once: ${running} requests of this user are under way`,
        );
      }
      underWay.set(owner, running + 1);
      try {
        return await attempt(client, patience, work, true);
      } finally {
        const left = (underWay.get(owner) ?? 1) - 1;
        if (left === 0) underWay.delete(owner);
        else underWay.set(owner, left);
      }
    },
    endIdle(owner) {
      for (const lease of live) {
        if (lease.holder !== undefined || (owner ?? lease.owner) !== lease.owner) continue;
        end(lease);
        return true;
      }
      return false;
    },
    endAll,
    async close() {
      closing.abort();
      endAll();
      await endings.all();
    },
  };
}
