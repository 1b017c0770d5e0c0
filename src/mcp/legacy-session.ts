import { setMaxListeners } from "node:events";
import type { Caller, ClientPort, ClientSession } from "../core/client-port.ts";
import { AppError } from "../core/errors.ts";
import { isRequest, RpcFault, rpcCodes } from "../core/json-rpc.ts";
import type { RequestId, RpcMessage, RpcNotification, RpcRequest } from "../core/json-rpc.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { isLogLevel, legacyVersions, reachesLevel } from "../core/mcp.ts";
import type { ListKind, LogLevel } from "../core/mcp.ts";
import { principalKey } from "../core/principal.ts";
import type { Principal } from "../core/principal.ts";
import { holdsCredential } from "../core/shown-credential.ts";
import { Stop } from "../core/stop-signal.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import { UnderWay } from "../core/under-way.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { CallerContext, Gateway } from "../gateway/gateway.ts";
import { callerClientName } from "./caller-client-name.ts";
import { createClientRequests } from "./client-requests.ts";
import { carriedCapabilities } from "./declared-capabilities.ts";
import { createEarlyNews } from "./early-news.ts";
import { identityFor } from "./mcp-identity.ts";
import type { McpIdentity, UnportedCaller } from "./mcp-identity.ts";
import { sendNews } from "./message-stream.ts";
import type { MessageStream } from "./message-stream.ts";
import { createResourceSubscriptions } from "./resource-subscriptions.ts";
import { answer, changedNotifications, ClientCancelled, notification } from "./rpc-messages.ts";
import { Sender } from "./sender.ts";
import { serveLegacy } from "./serve-legacy.ts";
import { stringParam } from "./served-request.ts";

export interface LegacySessionOptions {
  gateway: Gateway;
  identity: McpIdentity;
  /** Who opened it; where it has no `clientName`, that is taken from `initialize`, its `sessionId` is the session's. */
  caller: UnportedCaller;
  /** The params of `initialize`, in which `initializeFault` found nothing wrong; nothing of them is kept that is not used. */
  initializeParams: JsonObject;
  /** Unguessable: the session's id is made of it. */
  newId: () => string;
}

/**
 * One MCP session of the legacy era (`initialize` … ), free of transport: Streamable HTTP, HTTP+SSE and stdio
 * bring messages and streams. Whoever brings them has made sure that they come from the session's own user.
 */
export interface LegacySession {
  readonly id: string;
  /** The revision that `initialize` settled. */
  readonly protocolVersion: string;
  readonly clientSession: ClientSession;
  /** Who sent the last message, as whom the session hears of changes; at first who opened it. */
  readonly principal: Principal;
  /** What that one holds now, by the same credential. */
  renew(renewed: Principal): void;
  /**
   * Takes one message of the client. A request (`initialize` too: hand it in first) is answered on `stream`,
   * which also carries what is said and asked while it runs; resolves when that is done, and never rejects.
   * A request that the client cancelled gets no answer.
   * @param options.signal aborting cancels the request
   * @param options.caller who sent this message, where it can differ from who opened the session
   */
  receive(
    message: RpcMessage,
    stream: MessageStream,
    options?: { signal?: StopSignal | undefined; caller?: UnportedCaller | undefined },
  ): Promise<void>;
  /** The stream for what belongs to no request of the client. */
  setCommonStream(stream: MessageStream | undefined): void;
  /** Cancels its calls and gives up its subscriptions; the second time nothing happens. */
  end(): void;
}

/** Requests of one session that are worked on at a time. */
const mostCalls = 256;

interface Call {
  id: RequestId;
  stream: MessageStream;
  cancellation: Stop;
}

export function createLegacySession(options: LegacySessionOptions): LegacySession {
  // No closure here may name `options`: it would keep the whole of `initialize`.
  const { gateway, caller: opener, newId } = options;
  const { mode } = opener;
  const identity = identityFor(options.identity, opener);
  const id = newId();
  const capabilities = carriedCapabilities(options.initializeParams["capabilities"]);
  const protocolVersion = negotiate(options.initializeParams["protocolVersion"]);
  const clientName = clientNameOf(options.initializeParams, opener.credential);
  const requests = createClientRequests(capabilities);
  const ended = new AbortController();
  // Every connection to a server that is this session's own listens to it.
  setMaxListeners(0, ended.signal);
  /** In flight, oldest first. */
  const calls = new UnderWay<Call>();
  const early = createEarlyNews();
  let logLevel: LogLevel | undefined;
  let common: MessageStream | undefined;
  let initialized = false;

  /** Where a message goes that belongs to no request; without a common stream to the youngest request's. */
  const anyStream = (): MessageStream | undefined =>
    common?.isConnected?.() === false || common === undefined
      ? ([...calls].at(-1)?.stream ?? common)
      : common;

  const tell = (method: string, params: JsonObject, stream: MessageStream | undefined): void => {
    if (stream === undefined) return;
    const isLog = method === "notifications/message";
    // Before `logging/setLevel` the servers decide what they send (2025-11-25, "Setting Log Level").
    if (isLog && logLevel !== undefined && !reachesLevel(params["level"], logLevel)) return;
    sendNews(stream, notification(method, params));
  };

  /** Of what is done for the session and not for one request. */
  const sessionCaller: Caller = {
    projectId: opener.projectId,
    get principal() {
      return principal;
    },
  };
  const clientSession: ClientSession = {
    id,
    caller: sessionCaller,
    capabilities,
    get logLevel() {
      return logLevel;
    },
    ended: ended.signal,
    request: (method, params, signal) => requests.ask(method, params, signal, anyStream()),
    notify: (method, params) => tell(method, params, anyStream()),
  };

  /** As who sent the last message was found: its role may have changed since it opened the session. */
  let { principal } = opener;

  const owner: UnportedCaller = {
    ...opener,
    clientName: callerClientName(opener, clientName),
    sessionId: id,
  };
  const ownerKey = principalKey(principal);

  /** The way back to the client while it has asked something on this stream, or outside of any request. */
  const portOn = (stream: MessageStream | undefined, whose = sessionCaller): ClientPort => ({
    era: "legacy",
    owner: ownerKey,
    caller: whose,
    capabilities,
    session: clientSession,
    logLevel: logLevel ?? "info",
    request: (method, params, signal) =>
      requests.ask(method, params, signal, stream ?? anyStream()),
    notify: (method, params) => tell(method, params, stream ?? anyStream()),
  });

  /** What happens while no stream leads to the client is told it when one opens. */
  const tellCommon = (method: string, params: JsonObject): void => {
    if (common === undefined) early.add(method, params);
    else tell(method, params, common);
  };

  const current = (): Principal => principal;

  /** As whom one message is served. Field by field: spreads that add some cost each call microseconds. */
  const served = (sender: UnportedCaller, stream: MessageStream): CallerContext => ({
    principal: sender.principal,
    clientName: callerClientName(sender, clientName),
    sessionId: id,
    projectId: sender.projectId,
    credential: sender.credential,
    client: portOn(stream, new Sender(sender, current)),
    selection: sender.selection,
    // A session stays what it was opened as, whatever the address of a message says.
    mode,
  });

  /** The session itself, for what outlasts the request that asked for it. */
  const lasting: CallerContext = {
    clientName: owner.clientName,
    sessionId: id,
    projectId: owner.projectId,
    mode,
    selection: owner.selection,
    client: portOn(undefined),
    get principal() {
      return principal;
    },
  };

  const subscriptions = createResourceSubscriptions({
    gateway,
    caller: lasting,
    onUpdated: (params) => tellCommon("notifications/resources/updated", params),
  });

  const stopHearing = gateway.onListsChanged(lasting, (kinds, session) => {
    if (session !== undefined && session !== clientSession) return;
    const shown = mode === "discover" ? withoutTools(kinds) : kinds;
    for (const method of changedNotifications(shown)) tellCommon(method, {});
  });

  /** What only a session can be asked. */
  const own: Readonly<Record<string, (params: JsonObject) => Promise<JsonObject> | JsonObject>> = {
    initialize: () => {
      if (initialized) throw invalidRequest("The session is initialized already");
      initialized = true;
      const instructions = identity.instructions(lasting);
      return {
        protocolVersion,
        capabilities: identity.capabilities,
        serverInfo: identity.serverInfo,
        ...(instructions === undefined ? {} : { instructions }),
      };
    },
    "logging/setLevel": ({ level }) => {
      if (!isLogLevel(level)) {
        const message = "params.level must be a log level";
        throw new RpcFault({ code: rpcCodes.invalidParams, message });
      }
      gateway.setLogLevel(lasting, level);
      logLevel = level;
      return {};
    },
    "resources/subscribe": (params) => subscriptions.add(stringParam(params, "uri")),
    "resources/unsubscribe": (params) => subscriptions.remove(stringParam(params, "uri")),
  };

  const serve = async (
    request: RpcRequest,
    stream: MessageStream,
    signal: StopSignal | undefined,
    sender: UnportedCaller,
  ): Promise<void> => {
    const cancellation = new Stop();
    const cancel = (): void => cancellation.abort(signal?.reason);
    if (ended.signal.aborted) cancellation.abort(ended.signal.reason);
    if (signal?.aborted === true) cancel();
    signal?.addEventListener("abort", cancel, { once: true });
    const call: Call = { id: request.id, stream, cancellation };
    const isFull = calls.size >= mostCalls;
    if (!isFull) calls.add(call);
    requests.opened(stream);
    try {
      await answer(request, stream, cancellation, () => {
        if (isFull) {
          throw new AppError("rate_limited", "The session works on too many requests at once");
        }
        const handle = Object.hasOwn(own, request.method) ? own[request.method] : undefined;
        if (handle !== undefined) return handle(request.params ?? {});
        return serveLegacy(request, {
          gateway,
          caller: served(sender, stream),
          stream,
          signal: cancellation,
        });
      });
    } finally {
      signal?.removeEventListener("abort", cancel);
      calls.delete(call);
    }
  };

  const hear = ({ method, params = {} }: RpcNotification): void => {
    if (method === "notifications/cancelled") {
      const requestId = params["requestId"];
      for (const call of calls) {
        if (call.id === requestId) call.cancellation.abort(new ClientCancelled());
      }
    }
    if (method === "notifications/roots/list_changed") gateway.rootsChanged(lasting);
  };

  return {
    id,
    protocolVersion,
    clientSession,
    get principal() {
      return principal;
    },
    renew(renewed) {
      principal = renewed;
    },
    receive(message, stream, { signal, caller } = {}) {
      if (caller !== undefined) ({ principal } = caller);
      if (isRequest(message))
        return serve(message, stream, signal, caller ?? { ...owner, principal });
      if ("method" in message) hear(message);
      else requests.settle(message);
      return Promise.resolve();
    },
    setCommonStream(stream) {
      common = stream;
      if (stream === undefined) return;
      requests.opened(stream);
      for (const news of early.take()) sendNews(stream, news);
    },
    end() {
      if (ended.signal.aborted) return;
      const reason = new AppError("unreachable", "The session has ended");
      ended.abort(reason);
      common = undefined;
      stopHearing();
      subscriptions.end();
      requests.end();
      for (const { cancellation } of calls) cancellation.abort(reason);
    },
  };
}

/** The three tools of `mode=discover` stay. */
function withoutTools(kinds: ReadonlySet<ListKind>): ReadonlySet<ListKind> {
  return new Set([...kinds].filter((kind) => kind !== "tools"));
}

/** The client's revision where we speak it, else our newest (2025-11-25, "Version Negotiation"). */
function negotiate(asked: unknown): string {
  return legacyVersions.find((version) => version === asked) ?? legacyVersions[0] ?? "";
}

function clientNameOf(
  { clientInfo }: JsonObject,
  credential: string | undefined,
): string | undefined {
  const name = isJsonObject(clientInfo) ? clientInfo["name"] : undefined;
  if (typeof name !== "string" || holdsCredential(name, credential)) return undefined;
  // By way of bytes: a part of a string keeps the whole of it.
  return Buffer.from(oneLine(name, 200)).toString();
}

function invalidRequest(message: string): RpcFault {
  return new RpcFault({ code: rpcCodes.invalidRequest, message });
}
