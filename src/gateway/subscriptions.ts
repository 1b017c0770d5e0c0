import type { ClientSession } from "../core/client-port.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import { isWithin, qualifiedUri } from "../core/resource-names.ts";
import type { UpstreamPool } from "../upstream/upstream.ts";
import type { CallerContext } from "./gateway.ts";
import type { LiveCatalog } from "./live-catalog.ts";
import type { UriRoute } from "./routes.ts";

/** Who wants to hear of updates of which resource. That a server is told once for many is the upstream's business. */
export interface Subscriptions {
  /**
   * @param uri as the caller named it; updates are told under it
   * @param caller asked at each update for who it is by then: of a server it can no longer see it hears nothing
   * @returns the way to end it, once
   * @throws as `Upstream.subscribe`
   */
  add(
    route: UriRoute,
    uri: string,
    caller: Pick<CallerContext, "principal" | "selection" | "client">,
    onUpdated: (params: JsonObject) => void,
  ): Promise<() => void>;
}

interface Subscriber {
  route: UriRoute;
  uri: string;
  caller: Pick<CallerContext, "principal" | "selection">;
  session: ClientSession | undefined;
  /** Which connection tells of it; undefined until the server was told. */
  over: "own" | "common" | undefined;
  onUpdated: (params: JsonObject) => void;
}

export function createSubscriptions(options: {
  pool: UpstreamPool;
  catalog: LiveCatalog;
  logger: Logger;
}): Subscriptions {
  const { pool, catalog, logger } = options;
  const subscribers = new Map<string, Set<Subscriber>>();

  pool.onResourceUpdated((server, params, session) => {
    const { uri } = params;
    if (typeof uri !== "string") return;
    for (const subscriber of subscribers.get(server) ?? []) {
      // What one session's own connection said is for that session; the common one speaks to all others.
      if (session === undefined ? subscriber.over === "own" : session !== subscriber.session)
        continue;
      if (!isWithin(uri, subscriber.route.uri)) continue;
      const { principal, selection } = subscriber.caller;
      if (catalog.seenBy(principal, selection).server(server) === undefined) continue;
      subscriber.onUpdated({ ...params, uri: exposedUri(uri, subscriber) });
    }
  });

  const remove = (subscriber: Subscriber): boolean => {
    const { name } = subscriber.route.upstream;
    const ofServer = subscribers.get(name);
    const was = ofServer?.delete(subscriber) ?? false;
    if (ofServer?.size === 0) subscribers.delete(name);
    return was;
  };

  return {
    async add(route, uri, caller, onUpdated) {
      const { upstream } = route;
      const { client } = caller;
      const { session } = client;
      const subscriber: Subscriber = { route, uri, caller, session, over: undefined, onUpdated };
      const ofServer = subscribers.get(upstream.name) ?? new Set();
      // Before the server is told: the first update may come at once.
      subscribers.set(upstream.name, ofServer.add(subscriber));
      try {
        subscriber.over = await upstream.subscribe(route.uri, client);
      } catch (error) {
        remove(subscriber);
        throw error;
      }
      return () => {
        if (!remove(subscriber)) return;
        upstream.unsubscribe(route.uri, client).catch((error: unknown) => {
          logger.debug("A subscription could not be given up", { server: upstream.name, error });
        });
      };
    },
  };
}

/** A resource below the one subscribed to is told under the same form. */
function exposedUri(uri: string, { route, uri: named }: Subscriber): string {
  if (uri === route.uri) return named;
  return named === route.uri ? uri : qualifiedUri({ server: route.upstream.name, uri });
}
