import type { RpcNotification } from "../core/json-rpc.ts";
import type { JsonObject } from "../core/json.ts";
import { longestUri } from "./resource-subscriptions.ts";
import { notification } from "./rpc-messages.ts";

/** What a client is to be told that has no stream for it yet: each thing once, however often it happened. */
export interface EarlyNews {
  /** Other notifications than of changed lists and updated resources are worth nothing later, and left out. */
  add(method: string, params: JsonObject): void;
  /** Everything, in the order in which it first happened. */
  take(): RpcNotification[];
}

/** Far more than a client watches. */
const mostKept = 1_000;
const updated = "notifications/resources/updated";

export function createEarlyNews(): EarlyNews {
  const kept = new Map<string, RpcNotification>();
  return {
    add(method, params) {
      if (method.endsWith("/list_changed")) kept.set(method, notification(method, {}));
      const { uri } = params;
      if (method !== updated || typeof uri !== "string" || uri.length > longestUri) return;
      if (kept.size < mostKept) kept.set(`${method} ${uri}`, notification(method, { uri }));
    },
    take() {
      const news = [...kept.values()];
      kept.clear();
      return news;
    },
  };
}
