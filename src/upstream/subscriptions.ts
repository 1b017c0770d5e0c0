import { RpcFault, rpcCodes } from "../core/json-rpc.ts";

/** Resources subscribed to at once, on one connection. */
const mostSubscriptions = 2000;

interface Subscription {
  count: number;
  /** Settles when the server was told. */
  told: Promise<void>;
}

/** The resources somebody wants to hear of, counted: the server is told of the first and of the last. */
export interface Subscriptions {
  readonly uris: readonly string[];
  readonly size: number;
  has(uri: string): boolean;
  /** @param tell tells the server; called for the first. @throws what `tell` throws; RpcFault beyond the bound */
  add(uri: string, tell: () => Promise<void>): Promise<void>;
  /** @param tell called after the last. */
  remove(uri: string, tell: () => Promise<void>): Promise<void>;
}

export function createSubscriptions(): Subscriptions {
  const byUri = new Map<string, Subscription>();
  return {
    get uris() {
      return [...byUri.keys()];
    },
    get size() {
      return byUri.size;
    },
    has: (uri) => byUri.has(uri),
    async add(uri, tell) {
      const known = byUri.get(uri);
      if (known !== undefined) {
        known.count++;
        await known.told;
        return;
      }
      if (byUri.size === mostSubscriptions) {
        throw new RpcFault({ code: rpcCodes.internalError, message: "Too many subscriptions" });
      }
      const subscription: Subscription = { count: 1, told: Promise.resolve() };
      byUri.set(uri, subscription);
      subscription.told = tell();
      try {
        await subscription.told;
      } catch (error) {
        // Of no use to those who joined it meanwhile either: they get the same error.
        if (byUri.get(uri) === subscription) byUri.delete(uri);
        throw error;
      }
    },
    async remove(uri, tell) {
      const known = byUri.get(uri);
      if (known === undefined) return;
      known.count--;
      if (known.count > 0) return;
      byUri.delete(uri);
      await tell();
    },
  };
}
