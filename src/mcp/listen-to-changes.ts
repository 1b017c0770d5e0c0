import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import type { RpcNotification, RpcRequest } from "../core/json-rpc.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { metaKeys } from "../core/mcp.ts";
import type { ListKind } from "../core/mcp.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import type { CallerContext, Gateway } from "../gateway/gateway.ts";
import type { McpIdentity } from "./mcp-identity.ts";
import { sendNews } from "./message-stream.ts";
import type { MessageStream } from "./message-stream.ts";
import { longestUri, mostUriCharacters } from "./resource-subscriptions.ts";
import { changedNotifications } from "./rpc-messages.ts";

export interface ListenContext {
  gateway: Gateway;
  identity: McpIdentity;
  caller: CallerContext;
  stream: MessageStream;
  signal: StopSignal;
  ending?: AbortSignal | undefined;
}

/** URIs that one subscription may name. */
const mostUris = 256;
/** How long servers may take to subscribe before the client is told what it will hear; milliseconds. */
const subscribeMs = 5_000;

/**
 * `subscriptions/listen` (2026-07-28): says first what of the filter is honoured, then every change of it,
 * each under the id of this request. Lasts until the client closes it or the gateway stops, which gives it
 * its result; a filter of which nothing is honoured ends at once.
 * @throws RpcFault -32602 for what is no filter
 */
export async function listenToChanges(
  request: RpcRequest,
  context: ListenContext,
): Promise<JsonObject> {
  const { gateway, identity, caller, stream, signal, ending } = context;
  const filter = readFilter(request.params?.["notifications"]);
  const subscriptionId = { [metaKeys.subscriptionId]: request.id };
  const wanted = changedNotifications(honouredKinds(filter, identity.capabilities));

  let acknowledged = false;
  /** What happens before the client was told that it will hear of it. */
  const early: RpcNotification[] = [];
  const tell = (method: string, params: JsonObject): void => {
    const _meta = { ...(isJsonObject(params["_meta"]) ? params["_meta"] : {}), ...subscriptionId };
    const news: RpcNotification = { jsonrpc: "2.0", method, params: { ...params, _meta } };
    if (acknowledged) sendNews(stream, news);
    else if (early.length < mostUris) early.push(news);
  };

  const stops: (() => void)[] = [
    gateway.onListsChanged(caller, (kinds, session) => {
      if (session !== undefined) return;
      for (const method of changedNotifications(kinds)) if (wanted.has(method)) tell(method, {});
    }),
  ];
  try {
    const uris = subscribes(identity.capabilities)
      ? await subscribeAll(filter.uris, stops, signal, (uri) =>
          gateway.subscribeResource(caller, uri, (params) =>
            tell("notifications/resources/updated", params),
          ),
        )
      : [];
    const notifications = honouredFilter(wanted, uris);
    acknowledged = true;
    stream.send({
      jsonrpc: "2.0",
      method: "notifications/subscriptions/acknowledged",
      params: { notifications, _meta: subscriptionId },
    });
    for (const news of early) sendNews(stream, news);
    if (Object.keys(notifications).length > 0) await ended(signal, ending);
  } finally {
    for (const stop of stops) stop();
  }
  return {
    resultType: "complete",
    _meta: { ...subscriptionId, [metaKeys.serverInfo]: identity.serverInfo },
  };
}

interface Filter {
  kinds: ReadonlySet<ListKind>;
  uris: readonly string[];
}

const filterKeys: readonly [key: string, kind: ListKind, capability: string, method: string][] = [
  ["toolsListChanged", "tools", "tools", "notifications/tools/list_changed"],
  ["promptsListChanged", "prompts", "prompts", "notifications/prompts/list_changed"],
  ["resourcesListChanged", "resources", "resources", "notifications/resources/list_changed"],
];

function readFilter(value: unknown): Filter {
  const filter = isJsonObject(value) ? value : undefined;
  const uris = filter?.["resourceSubscriptions"] ?? [];
  if (
    filter === undefined ||
    !Array.isArray(uris) ||
    !uris.every((uri) => typeof uri === "string") ||
    filterKeys.some(([key]) => filter[key] !== undefined && typeof filter[key] !== "boolean")
  ) {
    throw invalid("params.notifications must be a subscription filter");
  }
  const distinct = new Set(uris);
  if (distinct.size > mostUris) throw invalid(`A subscription names ${mostUris} URIs at most`);
  const lengths = [...distinct].map(({ length }) => length);
  if (
    lengths.some((length) => length > longestUri) ||
    lengths.reduce((sum, length) => sum + length, 0) > mostUriCharacters
  ) {
    throw invalid(
      `A URI has ${longestUri} characters at most, those of a subscription ${mostUriCharacters}`,
    );
  }
  const kinds = filterKeys.flatMap(([key, kind]) => (filter[key] === true ? [kind] : []));
  return { kinds: new Set(kinds), uris: [...distinct] };
}

function honouredKinds({ kinds }: Filter, capabilities: JsonObject): ReadonlySet<ListKind> {
  const honoured = filterKeys.flatMap(([, kind, capability]) => {
    const announced = capabilities[capability];
    return isJsonObject(announced) && announced["listChanged"] === true && kinds.has(kind)
      ? [kind]
      : [];
  });
  return new Set(honoured);
}

function subscribes({ resources }: JsonObject): boolean {
  return isJsonObject(resources) && resources["subscribe"] === true;
}

function honouredFilter(wanted: ReadonlySet<string>, uris: string[]): JsonObject {
  const kinds = filterKeys.flatMap(([key, , , method]) => (wanted.has(method) ? [key] : []));
  return {
    ...Object.fromEntries(kinds.map((key) => [key, true])),
    ...(uris.length === 0 ? {} : { resourceSubscriptions: uris }),
  };
}

/** @returns the URIs whose servers took the subscription in time */
async function subscribeAll(
  uris: readonly string[],
  stops: (() => void)[],
  signal: StopSignal,
  subscribe: (uri: string) => Promise<() => void>,
): Promise<string[]> {
  if (uris.length === 0) return [];
  const taken = new Set<string>();
  let late = false;
  const all = Promise.all(
    uris.map(async (uri) => {
      try {
        const stop = await subscribe(uri);
        if (late) stop();
        else {
          stops.push(stop);
          taken.add(uri);
        }
      } catch {
        // What nobody has is not honoured; the acknowledgement says so.
      }
    }),
  );
  let timer: NodeJS.Timeout | undefined;
  const enough = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, subscribeMs);
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  await Promise.race([all, enough]);
  clearTimeout(timer);
  late = true;
  return uris.filter((uri) => taken.has(uri));
}

function ended(signal: StopSignal, ending: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      signal.removeEventListener("abort", done);
      ending?.removeEventListener("abort", done);
      resolve();
    };
    if (signal.aborted || ending?.aborted === true) resolve();
    signal.addEventListener("abort", done, { once: true });
    ending?.addEventListener("abort", done, { once: true });
  });
}

function invalid(message: string): RpcFault {
  return new RpcFault({ code: rpcCodes.invalidParams, message });
}
