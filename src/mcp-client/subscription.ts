import type { JsonObject } from "../core/json.ts";
import { keepSubscription } from "./keep-subscription.ts";
import type { KeptSubscription, ListenOptions } from "./keep-subscription.ts";

/** What one connection is subscribed to. */
export interface Subscription {
  /**
   * Subscribes to what `filter` names; the earlier subscription ends a moment after this one stands, so that
   * nothing is missed in between (what is said meanwhile may be heard twice). Resolves when the server has
   * acknowledged this one, or one asked for later in its place, or will not just now; never rejects.
   */
  replace(filter: JsonObject): Promise<void>;
  end(): void;
}

export interface SubscriptionOptions extends ListenOptions {
  /**
   * How long what was said on the earlier subscription may still be on its way when a later one stands, in
   * milliseconds; 0 where both come the same way and so in order.
   */
  overlapMs: number;
}

/** Earlier ones that are still read; of more than these the oldest ends at once. */
const mostRetiring = 16;

export function createSubscription(options: SubscriptionOptions): Subscription {
  /** The last that the server acknowledged. */
  let standing: KeptSubscription | undefined;
  /** A later one that it has not acknowledged yet. */
  let newest: KeptSubscription | undefined;
  const retiring = new Map<KeptSubscription, NodeJS.Timeout>();
  /** What is asked for next, once the one that is being opened has settled. */
  let next: { filter: JsonObject; opened: Promise<void> } | undefined;
  let opening: Promise<void> = Promise.resolve();
  /** Something that was asked for may have been said while nobody heard it. */
  let gap = false;
  let ended = false;

  const endRetired = (earlier: KeptSubscription): void => {
    clearTimeout(retiring.get(earlier));
    retiring.delete(earlier);
    earlier.end();
  };
  const retire = (earlier: KeptSubscription): void => {
    if (options.overlapMs === 0) {
      earlier.end();
      return;
    }
    earlier.retire();
    const timer = setTimeout(() => endRetired(earlier), options.overlapMs);
    retiring.set(earlier, timer);
    const [oldest] = retiring.keys();
    if (retiring.size > mostRetiring && oldest !== undefined) endRetired(oldest);
  };
  const announceMissed = (filter: JsonObject): void => {
    gap = false;
    for (const { method, params } of missed(filter)) options.onNotification(method, params);
  };
  const open = async (filter: JsonObject): Promise<void> => {
    if (ended) return;
    // It was given its time, and the server did not take it.
    newest?.end();
    const own = keepSubscription(filter, {
      ...options,
      onAcknowledged() {
        if (newest === own) {
          newest = undefined;
          if (standing !== undefined) retire(standing);
          standing = own;
        }
        if (gap) announceMissed(filter);
      },
      onInterrupted() {
        gap = true;
      },
    });
    newest = own;
    await own.settled;
    // Whoever asked goes on as if it stood.
    if (newest === own) gap = true;
  };
  return {
    async replace(filter) {
      if (next === undefined) {
        const opened = opening.then(() => {
          const wanted = next?.filter;
          next = undefined;
          return wanted === undefined ? undefined : open(wanted);
        });
        opening = opened;
        next = { filter, opened };
      } else next.filter = filter;
      await next.opened;
    },
    end() {
      ended = true;
      newest?.end();
      standing?.end();
      for (const earlier of retiring.keys()) endRetired(earlier);
    },
  };
}

const listChanges: Readonly<Record<string, string>> = {
  toolsListChanged: "notifications/tools/list_changed",
  promptsListChanged: "notifications/prompts/list_changed",
  resourcesListChanged: "notifications/resources/list_changed",
};

/** All that may have changed unheard while nobody listened. */
function missed(filter: JsonObject): { method: string; params: JsonObject }[] {
  const lists = Object.entries(listChanges)
    .filter(([name]) => filter[name] === true)
    .map(([, method]) => ({ method, params: {} }));
  const { resourceSubscriptions: uris } = filter;
  const resources = Array.isArray(uris) ? uris : [];
  return [
    ...lists,
    ...resources.map((uri) => ({ method: "notifications/resources/updated", params: { uri } })),
  ];
}
