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
/** Characters of one URI that is subscribed to. */
export const longestUri = 8_000;
/** Characters of all URIs that one session, or one `subscriptions/listen`, is subscribed to: they are kept. */
export const mostUriCharacters = 256 * 1024;

export function createResourceSubscriptions(options: {
  gateway: Gateway;
  caller: CallerContext;
  onUpdated: (params: JsonObject) => void;
}): ResourceSubscriptions {
  const { gateway, caller, onUpdated } = options;
  const subscribed = new Map<string, Promise<() => void>>();
  let characters = 0;

  const forget = (uri: string): void => {
    if (subscribed.delete(uri)) characters -= uri.length;
  };

  return {
    async add(uri) {
      let subscription = subscribed.get(uri);
      if (subscription === undefined) {
        if (uri.length > longestUri) throw tooMuch(`A URI has ${longestUri} characters at most`);
        if (subscribed.size >= mostSubscriptions || characters + uri.length > mostUriCharacters) {
          throw tooMuch(
            `A client may subscribe to ${mostSubscriptions} resources at most, of ${mostUriCharacters} characters`,
          );
        }
        subscription = gateway.subscribeResource(caller, uri, onUpdated);
        subscribed.set(uri, subscription);
        characters += uri.length;
      }
      try {
        await subscription;
      } catch (error) {
        if (subscribed.get(uri) === subscription) forget(uri);
        throw asResourceFault(error, uri, caller);
      }
      return {};
    },
    async remove(uri) {
      const subscription = subscribed.get(uri);
      forget(uri);
      await subscription?.then(stop, ignored);
      return {};
    },
    end() {
      for (const subscription of subscribed.values()) void subscription.then(stop, ignored);
      subscribed.clear();
      characters = 0;
    },
  };
}

function tooMuch(message: string): RpcFault {
  return new RpcFault({ code: rpcCodes.invalidParams, message });
}

function stop(unsubscribe: () => void): void {
  unsubscribe();
}

/** Who waited for it was told already. */
function ignored(): void {}
