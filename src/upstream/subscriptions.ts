import { RpcFault, rpcCodes } from "../core/json-rpc.ts";

/** Resources subscribed to at once, on one connection. */
const mostSubscriptions = 2000;
/** Of them by one principal, so that it leaves some to the others. */
const mostOfOneOwner = 1000;

interface Subscription {
  /** How many times each principal wants it. */
  owners: Map<string, number>;
  /** Settles when the server was told. */
  told: Promise<void>;
}

/** The resources somebody wants to hear of, counted: the server is told of the first and of the last. */
export interface Subscriptions {
  readonly uris: readonly string[];
  readonly size: number;
  has(uri: string): boolean;
  /** @param tell tells the server; called for the first. @throws what `tell` throws; RpcFault beyond a bound */
  add(uri: string, owner: string, tell: () => Promise<void>): Promise<void>;
  /** @param tell called after the last. */
  remove(uri: string, owner: string, tell: () => Promise<void>): Promise<void>;
}

export function createSubscriptions(): Subscriptions {
  const byUri = new Map<string, Subscription>();
  const countOf = (owner: string): number => {
    let count = 0;
    for (const { owners } of byUri.values()) if (owners.has(owner)) count++;
    return count;
  };
  return {
    get uris() {
      return [...byUri.keys()];
    },
    get size() {
      return byUri.size;
    },
    has: (uri) => byUri.has(uri),
    async add(uri, owner, tell) {
      const known = byUri.get(uri);
      const wanted = known?.owners.get(owner) ?? 0;
      const isOneTooMany =
        wanted === 0 &&
        ((known === undefined && byUri.size >= mostSubscriptions) ||
          countOf(owner) >= mostOfOneOwner);
      if (isOneTooMany) {
        throw new RpcFault({ code: rpcCodes.internalError, message: "Too many subscriptions" });
      }
      if (known !== undefined) {
        known.owners.set(owner, wanted + 1);
        await known.told;
        return;
      }
      const subscription: Subscription = {
        owners: new Map([[owner, 1]]),
        told: Promise.resolve(),
      };
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
    async remove(uri, owner, tell) {
      const known = byUri.get(uri);
      const wanted = known?.owners.get(owner);
      if (known === undefined || wanted === undefined) return;
      if (wanted > 1) known.owners.set(owner, wanted - 1);
      else known.owners.delete(owner);
      if (known.owners.size > 0) return;
      byUri.delete(uri);
      await tell();
    },
  };
}
