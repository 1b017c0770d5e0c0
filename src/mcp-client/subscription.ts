import type { JsonObject } from "../core/json.ts";
import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import { metaKeys, metaOf } from "../core/mcp.ts";
import { reasonOf } from "./ask-http.ts";
import { AnswerFault } from "./mcp-connection.ts";
import type { NotificationListener } from "./mcp-connection.ts";
import { createReopening } from "./reopening.ts";
import type { ReopenTimings } from "./reopening.ts";
import { HttpStatusError } from "./transport.ts";

export interface SubscriptionOptions {
  /** Sends `subscriptions/listen`; resolves or rejects when the subscription ends. */
  listen: (
    params: JsonObject,
    onNotification: NotificationListener,
    signal: AbortSignal,
  ) => Promise<JsonObject>;
  onNotification: NotificationListener;
  /** The server is not to be reached any more. */
  onLost: (reason: string) => void;
  timings: ReopenTimings;
}

/** What one connection is subscribed to. */
export interface Subscription {
  /**
   * Subscribes to what `filter` names; the earlier subscription ends when this one stands, so that nothing is
   * missed in between. Resolves when the server has acknowledged it, or will not just now; never rejects.
   */
  replace(filter: JsonObject): Promise<void>;
  end(): void;
}

/** How long the server's acknowledgement is waited for, in milliseconds. */
const acknowledgeMs = 5000;

export function createSubscription(options: SubscriptionOptions): Subscription {
  let standing: AbortController | undefined;
  let opening: AbortController | undefined;
  let ended = false;
  return {
    async replace(filter) {
      if (ended) return;
      opening?.abort();
      const own = new AbortController();
      opening = own;
      await new Promise<void>((resolve) => {
        const limit = setTimeout(resolve, acknowledgeMs);
        const onSettled = (): void => {
          clearTimeout(limit);
          resolve();
        };
        void keepSubscription({ ...options, filter, onSettled, signal: own.signal });
      });
      // Another one was asked for meanwhile.
      if (own.signal.aborted) return;
      standing?.abort();
      standing = own;
      opening = undefined;
    },
    end() {
      ended = true;
      opening?.abort();
      standing?.abort();
    },
  };
}

interface KeptOptions extends SubscriptionOptions {
  filter: JsonObject;
  /** It stands, or has failed for the first time. */
  onSettled: () => void;
  /** Ends it. */
  signal: AbortSignal;
}

/** What may have changed unheard while nobody listened. */
const listChanges: Readonly<Record<string, string>> = {
  toolsListChanged: "notifications/tools/list_changed",
  promptsListChanged: "notifications/prompts/list_changed",
  resourcesListChanged: "notifications/resources/list_changed",
};

/**
 * Keeps a `subscriptions/listen` open (MCP 2026-07-28), renewing it with a growing pause when it ends. After
 * a gap the list changes that were asked for are announced once, for nobody knows what was missed. Ends by
 * itself when the server does not know the method.
 */
async function keepSubscription(options: KeptOptions): Promise<void> {
  const { filter, signal, onNotification } = options;
  const reopening = createReopening(options.timings);
  let acknowledged = false;
  const hear: NotificationListener = (method, params) => {
    reopening.heard();
    if (method !== "notifications/subscriptions/acknowledged") {
      onNotification(method, withoutSubscriptionId(params));
      return;
    }
    if (acknowledged) {
      for (const [name, change] of Object.entries(listChanges)) {
        if (filter[name] === true) onNotification(change, {});
      }
    }
    acknowledged = true;
    options.onSettled();
  };
  while (!signal.aborted) {
    try {
      await options.listen({ notifications: filter }, hear, signal).finally(options.onSettled);
    } catch (error) {
      if (signal.aborted) return;
      if (error instanceof RpcFault) {
        if (error.code === rpcCodes.methodNotFound) return;
      } else if (!(error instanceof AnswerFault)) {
        reopening.failed();
        const refused = error instanceof HttpStatusError && error.status < 500;
        if (refused || reopening.exhausted) {
          options.onLost(reasonOf(error));
          return;
        }
      }
    }
    await reopening.pause(signal);
  }
}

/** It is this connection's own and says nothing to anybody behind it. */
function withoutSubscriptionId(params: JsonObject): JsonObject {
  const { [metaKeys.subscriptionId]: id, ...meta } = metaOf(params);
  if (id === undefined) return params;
  const { _meta: _own, ...rest } = params;
  return Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta };
}
