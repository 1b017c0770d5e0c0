import { AppError } from "../core/errors.ts";
import { rpcCodes, RpcFault } from "../core/json-rpc.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import type { ProtocolEra } from "../core/mcp.ts";
import { quotedName } from "../core/terminal-text.ts";
import { completionNamed, resourceNamed } from "./beyond-scopes.ts";
import type { BeyondScopes } from "./beyond-scopes.ts";
import type { Exchange } from "./exchange.ts";
import type { CallerContext, RoutedRequest } from "./gateway.ts";
import { RequestFault } from "./request-fault.ts";
import { claimedServer } from "./request-state.ts";
import type { Routes, UriRoute } from "./routes.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** What clients ask by URI, and completions; as `Gateway` says it. */
export interface ResourceRequests {
  read(caller: CallerContext, request: RoutedRequest): Promise<JsonObject>;
  complete(caller: CallerContext, request: RoutedRequest): Promise<JsonObject>;
  subscribe(
    caller: CallerContext,
    uri: string,
    onUpdated: (params: JsonObject) => void,
  ): Promise<() => void>;
}

export function createResourceRequests(options: {
  /** The ways of a caller, who may go them. @throws AppError `forbidden` */
  routesFor: (caller: CallerContext, what: string) => Routes;
  beyond: BeyondScopes;
  exchange: Exchange;
  subscriptions: Subscriptions;
}): ResourceRequests {
  const { routesFor, beyond, exchange, subscriptions } = options;
  const requests: ResourceRequests = {
    async read(caller, { params, ...request }) {
      const { uri, requestState } = params;
      const routes = routesFor(caller, "Reading a resource");
      if (typeof uri !== "string") throw new RequestFault("params.uri must be a string");
      const found = await routes.resource(caller.client, uri);
      // Whoever asked for more is the one to be told.
      const asker = caller.client.era === "modern" ? claimedServer(requestState) : undefined;
      const asked = found.filter(({ upstream }) => asker === undefined || upstream.name === asker);
      return await askEach(asked.length === 0 ? found.slice(0, 1) : asked, caller, uri, (route) =>
        exchange.send(caller, {
          ...request,
          target: route,
          method: "resources/read",
          name: route.uri,
          params: { ...params, uri: route.uri },
        }),
      );
    },

    async complete(caller, { params, ...request }) {
      const ref = isJsonObject(params["ref"]) ? params["ref"] : {};
      const routes = routesFor(caller, "Asking for completions");
      const { route, ref: ownRef } = await completionRoute(routes, caller, ref);
      // It is announced for all; of a server that has none, nothing is known.
      if (route.upstream.serverInfo !== undefined && !hasCompletions(route.upstream)) {
        return { completion: { values: [] } };
      }
      return await exchange.send(caller, {
        ...request,
        target: route,
        method: "completion/complete",
        name: route.name,
        params: { ...params, ref: ownRef },
      });
    },

    async subscribe(caller, uri, onUpdated) {
      const routes = routesFor(caller, "Subscribing to a resource");
      const found = await routes.resource(caller.client, uri);
      return await askEach(found, caller, uri, (route) => {
        refuseWithoutSubscriptions(route);
        return subscriptions.add(route, uri, caller, onUpdated);
      });
    },
  };
  return {
    read: (caller, request) =>
      beyond.explain(caller, resourceNamed(request.params["uri"]), () =>
        requests.read(caller, request),
      ),
    complete: (caller, request) =>
      beyond.explain(caller, completionNamed(request.params["ref"]), () =>
        requests.complete(caller, request),
      ),
    subscribe: (caller, uri, onUpdated) =>
      beyond.explain(caller, resourceNamed(uri), () => requests.subscribe(caller, uri, onUpdated)),
  };
}

/** Asks one after the other until one knows the resource; what the only one says is handed on as it is. */
async function askEach<Answer>(
  candidates: readonly UriRoute[],
  { client }: CallerContext,
  uri: string,
  ask: (route: UriRoute) => Promise<Answer>,
): Promise<Answer> {
  for (const route of candidates) {
    try {
      // oxlint-disable-next-line no-await-in-loop -- the next one is asked only when this one does not know it
      return await ask(route);
    } catch (error) {
      if (candidates.length === 1 || !saysUnknown(error)) throw error;
    }
  }
  throw resourceNotFound(uri, client.era);
}

/** Servers say so in the words of either era, or do not take such URIs at all. */
function saysUnknown(error: unknown): boolean {
  if (error instanceof RequestFault) return false;
  return (
    error instanceof RpcFault &&
    (error.code === rpcCodes.resourceNotFound ||
      error.code === rpcCodes.invalidParams ||
      error.code === rpcCodes.methodNotFound)
  );
}

function resourceNotFound(uri: string, era: ProtocolEra): RpcFault {
  return new RpcFault({
    code: era === "legacy" ? rpcCodes.resourceNotFound : rpcCodes.invalidParams,
    message: `Unknown resource ${quotedName(uri, 200)}`,
    data: { uri },
  });
}

/** @throws RpcFault -32601 when the server has said that it tells of no updates */
function refuseWithoutSubscriptions({ upstream }: UriRoute): void {
  const { resources } = upstream.capabilities;
  if (upstream.serverInfo === undefined) return;
  if (isJsonObject(resources) && resources["subscribe"] === true) return;
  throw new RpcFault({
    code: rpcCodes.methodNotFound,
    message: `Server ${JSON.stringify(upstream.name)} tells of no updates of its resources`,
  });
}

function hasCompletions({ capabilities }: { capabilities: JsonObject }): boolean {
  return capabilities["completions"] !== undefined;
}

interface CompletionRoute {
  route: Omit<UriRoute, "uri"> & { name: string };
  ref: JsonObject;
}

/** @throws AppError `not_found`; RequestFault for what is no reference */
async function completionRoute(
  routes: Routes,
  { client }: CallerContext,
  ref: JsonObject,
): Promise<CompletionRoute> {
  const { type, name: exposedName, uri } = ref;
  if (type === "ref/prompt" && typeof exposedName === "string") {
    const { configuration, upstream, name } = await routes.prompt(client, exposedName);
    return { route: { configuration, upstream, name }, ref: { ...ref, name } };
  }
  if (type === "ref/resource" && typeof uri === "string") {
    const found = await routes.template(client, uri);
    if (found === undefined) {
      throw new AppError("not_found", `Unknown template ${quotedName(uri, 200)}`);
    }
    const { configuration, upstream } = found;
    return { route: { configuration, upstream, name: found.uri }, ref: { ...ref, uri: found.uri } };
  }
  throw new RequestFault(
    "params.ref must be a ref/prompt with a name or a ref/resource with a uri",
  );
}
