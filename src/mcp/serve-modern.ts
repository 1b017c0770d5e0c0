import type { Caller, ClientPort } from "../core/client-port.ts";
import { RpcFault } from "../core/json-rpc.ts";
import type { RpcError, RpcRequest } from "../core/json-rpc.ts";
import type { JsonObject } from "../core/json.ts";
import { isLogLevel, metaKeys, metaOf, modernVersions, reachesLevel } from "../core/mcp.ts";
import { principalKey } from "../core/principal.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import type { CallerContext, Gateway } from "../gateway/gateway.ts";
import { callerClientName } from "./caller-client-name.ts";
import { carriedCapabilities } from "./declared-capabilities.ts";
import { gatewayMethods } from "./gateway-methods.ts";
import { listenToChanges } from "./listen-to-changes.ts";
import { identityFor } from "./mcp-identity.ts";
import type { McpIdentity, UnportedCaller } from "./mcp-identity.ts";
import { sendNews } from "./message-stream.ts";
import type { MessageStream } from "./message-stream.ts";
import { envelopeClientName, envelopeFault } from "./modern-envelope.ts";
import { answer, failure, methodNotFound, notification, progressTo } from "./rpc-messages.ts";

export interface ModernContext {
  gateway: Gateway;
  identity: McpIdentity;
  /** Where it has no `clientName`, that is taken from the request's `_meta`. */
  caller: UnportedCaller;
  stream: MessageStream;
  /**
   * Aborting cancels the request: its stream was closed, or (stdio) `notifications/cancelled` named it; with
   * `ClientCancelled` as the reason it gets no answer.
   */
  signal: StopSignal;
  /** Aborted when the gateway stops: ends a `subscriptions/listen` with its result. */
  ending?: AbortSignal | undefined;
}

/**
 * Serves one request of the modern era (2026-07-28): answers it on the stream, which also carries what is
 * said while it runs. Checks the envelope, not the HTTP headers. Resolves when it is answered (a
 * `subscriptions/listen`: when it has ended), and never rejects.
 */
export async function serveModern(request: RpcRequest, context: ModernContext): Promise<void> {
  const { stream, signal } = context;
  const fault = modernFault(request);
  if (fault !== undefined) {
    stream.send(failure(request.id, fault));
    return;
  }
  await answer(request, stream, signal, () => serve(request, context));
}

/** Why a request is not served in the modern era: its envelope, its revision, its method. */
export function modernFault({ method, params }: RpcRequest): RpcError | undefined {
  const known = gatewayMethods.has(method) || method === discover || method === listen;
  return envelopeFault(params) ?? (known ? undefined : methodNotFound(method));
}

const discover = "server/discover";
const listen = "subscriptions/listen";

async function serve(request: RpcRequest, context: ModernContext): Promise<JsonObject> {
  const { gateway, signal, stream } = context;
  const { method, params = {} } = request;
  const caller = callerOf(request, context);
  const identity = identityFor(context.identity, caller);
  if (method === listen) return listenToChanges(request, { ...context, identity, caller });
  if (method === discover) return completed(method, discovery(identity, caller));
  const handle = gatewayMethods.get(method);
  if (handle === undefined) throw new RpcFault(methodNotFound(method));
  const onProgress = progressTo(request, stream);
  return completed(method, await handle({ gateway, caller, params, signal, onProgress }));
}

function callerOf({ params }: RpcRequest, { caller, stream }: ModernContext): CallerContext {
  return {
    ...caller,
    clientName: callerClientName(caller, envelopeClientName(params)),
    client: portOf(metaOf(params), caller, stream),
  };
}

/** The client of a request as far as the request says it, for questions before there is a way back to it. */
export function clientOf({ params }: RpcRequest, caller: UnportedCaller): ClientPort {
  return portOf(metaOf(params), caller, noStream);
}

const noStream: MessageStream = { send: () => undefined, keepsUp: () => false };

/** The client has no ears of its own in this era: what it is to be asked stands in the result. */
function portOf(meta: JsonObject, caller: Caller, stream: MessageStream): ClientPort {
  const capabilities = carriedCapabilities(meta[metaKeys.clientCapabilities]);
  const level = meta[metaKeys.logLevel];
  const logLevel = isLogLevel(level) ? level : undefined;
  return {
    era: "modern",
    owner: principalKey(caller.principal),
    caller,
    capabilities,
    session: undefined,
    logLevel,
    request: (method) => Promise.reject(new RpcFault(methodNotFound(method))),
    notify: (method, params) => {
      const isLog = method === "notifications/message";
      if (isLog && (logLevel === undefined || !reachesLevel(params["level"], logLevel))) return;
      sendNews(stream, notification(method, params));
    },
  };
}

function discovery(identity: McpIdentity, caller: CallerContext): JsonObject {
  const instructions = identity.instructions(caller);
  return {
    supportedVersions: [...modernVersions],
    capabilities: identity.capabilities,
    ...(instructions === undefined ? {} : { instructions }),
    _meta: { [metaKeys.serverInfo]: identity.serverInfo },
  };
}

/** Whose results say how long they are good and for whom (2026-07-28, "Caching"). */
const cacheable: ReadonlySet<string> = new Set([
  "tools/list",
  "prompts/list",
  "resources/list",
  "resources/templates/list",
  "resources/read",
  discover,
]);

/** The result with what the era wants in each and the server did not give; everything else as it came. */
function completed(method: string, result: JsonObject): JsonObject {
  const { resultType = "complete", ttlMs, cacheScope } = result;
  const timed = resultType === "complete" && cacheable.has(method);
  const needsTtl =
    timed && !(typeof ttlMs === "number" && Number.isSafeInteger(ttlMs) && ttlMs >= 0);
  const needsScope = timed && cacheScope !== "public" && cacheScope !== "private";
  if (result["resultType"] !== undefined && !needsTtl && !needsScope) return result;
  return {
    ...result,
    resultType,
    ...(needsTtl && { ttlMs: 0 }),
    ...(needsScope && { cacheScope: "private" }),
  };
}
