import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import type { JsonObject } from "../core/json.ts";
import type { CallerContext, Gateway } from "../gateway/gateway.ts";
import { asResourceFault } from "./gateway-methods.ts";

/** The resources of which one client wants to hear. */
export interface ResourceSubscriptions {
  /** The second time the same. @throws RpcFault, AppError */
  add(uri: string): Promise<JsonObject>;
  remove(uri: string): Promise<JsonObject>;
  end(): void;
}

/** Far more than a client watches, and few enough for one that never stops asking. */
const mostSubscriptions = 1_000;

export function createResourceSubscriptions(options: {
  gateway: Gateway;
  caller: CallerContext;
  onUpdated: (params: JsonObject) => void;
}): ResourceSubscriptions {
  const { gateway, caller, onUpdated } = options;
  const subscribed = new Map<string, Promise<() => void>>();

  return {
    async add(uri) {
      const known = subscribed.get(uri);
      if (known === undefined && subscribed.size >= mostSubscriptions) {
        const message = `A client may subscribe to ${mostSubscriptions} resources at most`;
        throw new RpcFault({ code: rpcCodes.invalidParams, message });
      }
      const subscription = known ?? gateway.subscribeResource(caller, uri, onUpdated);
      subscribed.set(uri, subscription);
      try {
        await subscription;
      } catch (error) {
        if (subscribed.get(uri) === subscription) subscribed.delete(uri);
        throw asResourceFault(error, uri, caller);
      }
      return {};
    },
    async remove(uri) {
      const subscription = subscribed.get(uri);
      subscribed.delete(uri);
      await subscription?.then(stop, ignored);
      return {};
    },
    end() {
      for (const subscription of subscribed.values()) void subscription.then(stop, ignored);
      subscribed.clear();
    },
  };
}

function stop(unsubscribe: () => void): void {
  unsubscribe();
}

/** Who waited for it was told already. */
function ignored(): void {}
