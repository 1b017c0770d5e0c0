import type { JsonObject } from "../core/json.ts";
import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import { metaKeys, metaOf } from "../core/mcp.ts";
import { reasonOf } from "./ask-http.ts";
import { AnswerFault } from "./mcp-connection.ts";
import type { NotificationListener } from "./mcp-connection.ts";
import { createReopening } from "./reopening.ts";
import type { ReopenTimings } from "./reopening.ts";
import { HttpStatusError } from "./transport.ts";

export interface ListenOptions {
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

export interface KeptOptions extends ListenOptions {
  /** The server took it on, for the first time or again. */
  onAcknowledged: () => void;
  /** It ended and is about to be renewed: until it is acknowledged again, nothing is heard. */
  onInterrupted: () => void;
}

export interface KeptSubscription {
  /** Resolves when the server has acknowledged it, will not just now, or has taken too long. */
  readonly settled: Promise<void>;
  /** From now on it is heard, but not renewed. */
  retire(): void;
  end(): void;
}

/** How long the server's acknowledgement is waited for, in milliseconds. */
const acknowledgeMs = 5000;

/**
 * Keeps a `subscriptions/listen` open (MCP 2026-07-28), renewing it with a growing pause when it ends. Ends
 * by itself when the server does not know the method.
 */
export function keepSubscription(filter: JsonObject, options: KeptOptions): KeptSubscription {
  const { timings, onNotification } = options;
  const ending = new AbortController();
  const { signal } = ending;
  const reopening = createReopening(timings);
  let retired = false;
  const over = new AbortController();
  const settled = new Promise<void>((resolve) => {
    over.signal.addEventListener("abort", () => resolve());
  });
  const settle = (): void => {
    clearTimeout(limit);
    over.abort();
  };
  const limit = setTimeout(settle, acknowledgeMs);

  const hear: NotificationListener = (method, params) => {
    reopening.heard();
    if (method !== "notifications/subscriptions/acknowledged") {
      onNotification(method, withoutSubscriptionId(params));
      return;
    }
    options.onAcknowledged();
    settle();
  };
  /** @returns whether to ask once more */
  const listenOnce = async (): Promise<boolean> => {
    try {
      await options.listen({ notifications: filter }, hear, signal);
    } catch (error) {
      if (signal.aborted || retired) return false;
      if (error instanceof RpcFault) return error.code !== rpcCodes.methodNotFound;
      if (error instanceof AnswerFault) return true;
      reopening.failed();
      const refused = error instanceof HttpStatusError && error.status < 500;
      if (refused || reopening.exhausted) {
        options.onLost(reasonOf(error));
        return false;
      }
    }
    return !signal.aborted && !retired;
  };
  const keep = async (): Promise<void> => {
    while (await listenOnce().finally(() => settle())) {
      options.onInterrupted();
      await reopening.pause(signal);
      if (signal.aborted || retired) return;
    }
  };
  void keep();
  return {
    settled,
    retire() {
      retired = true;
    },
    end: () => ending.abort(),
  };
}

/** It is this connection's own and says nothing to anybody behind it. */
function withoutSubscriptionId(params: JsonObject): JsonObject {
  const { [metaKeys.subscriptionId]: id, ...meta } = metaOf(params);
  if (id === undefined) return params;
  const { _meta: _own, ...rest } = params;
  return Object.keys(meta).length === 0 ? rest : { ...rest, _meta: meta };
}
