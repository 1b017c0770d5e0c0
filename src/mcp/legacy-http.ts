import type { ServerResponse } from "node:http";
import type { Caller, ClientPort } from "../core/client-port.ts";
import { isRequest, RpcFault, rpcCodes } from "../core/json-rpc.ts";
import type { RpcMessage, RpcRequest } from "../core/json-rpc.ts";
import type { JsonObject } from "../core/json.ts";
import { scopesReach } from "../core/permissions.ts";
import { principalKey } from "../core/principal.ts";
import type { Principal } from "../core/principal.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { headerOf } from "./check-headers.ts";
import { checkLegacyVersion } from "./classify.ts";
import { initializeFault } from "./declared-capabilities.ts";
import { createEventLog } from "./event-log.ts";
import { createEventSink, eventStreamHeaders } from "./event-sink.ts";
import type { EventSink } from "./event-sink.ts";
import { createHttpSessions, defaultSessionLimits } from "./http-sessions.ts";
import type { HttpSession, SessionLimits } from "./http-sessions.ts";
import { createLegacySession } from "./legacy-session.ts";
import type { McpExchange, McpTimings, StandingOf } from "./mcp-endpoint.ts";
import type { McpIdentity, UnportedCaller } from "./mcp-identity.ts";
import { sendNews } from "./message-stream.ts";
import type { MessageStream } from "./message-stream.ts";
import { createPostAnswer } from "./post-answer.ts";
import { accepts, hasBatches, notAcceptable } from "./read-post.ts";
import type { Post } from "./read-post.ts";
import { invalidRequest, notAllowed, Refused } from "./refused.ts";
import { answer, methodNotFound, notification } from "./rpc-messages.ts";
import type { RunningCalls } from "./running-calls.ts";
import { serveLegacy } from "./serve-legacy.ts";
import { createSessionStreams, isCommonEvent } from "./session-streams.ts";

/** The legacy era over Streamable HTTP: sessions, and single requests of clients that hold none. */
export interface LegacyHttp {
  /**
   * @returns what is to be waited for; undefined when it is answered already
   * @throws Refused at once, as the others
   */
  post(exchange: McpExchange, post: Post & { era: "legacy" }): Promise<void> | undefined;
  /** The stream for what belongs to no request, or one that is taken up again. */
  get(exchange: McpExchange): void;
  delete(exchange: McpExchange): void;
  endStreams(): void;
  /** As `McpEndpoint.standingsChanged`. */
  standingsChanged(): void;
  close(): void;
  readonly sessionCount: number;
}

export interface LegacyHttpOptions {
  gateway: Gateway;
  identity: McpIdentity;
  newId: () => string;
  now: () => number;
  timings: McpTimings;
  sessionLimits?: Partial<SessionLimits> | undefined;
  calls: RunningCalls;
  standingOf?: StandingOf | undefined;
}

const sessionHeader = "mcp-session-id";
const sweepMs = 60_000;
/** From this revision on an event may be nothing but an id. */
const primedSince = "2025-11-25";

export function createLegacyHttp(options: LegacyHttpOptions): LegacyHttp {
  const { gateway, identity, newId, now, timings, calls, standingOf } = options;
  const renewing = new WeakSet<HttpSession>();
  const log = createEventLog();
  const sessions = createHttpSessions({
    limits: { ...defaultSessionLimits, ...options.sessionLimits },
    now,
  });
  const sweeping = setInterval(() => sessions.sweep(), sweepMs).unref();

  /** A call that runs is answered first. */
  const endWhenOver = ({ session, working, over }: HttpSession): void => {
    const { id, principal } = session;
    if (over === principal && working === 0) sessions.end(id, principalKey(principal));
  };
  /** A session goes on as what its client holds now, and not at all once its credential was taken back. */
  const renew = async (of: HttpSession): Promise<void> => {
    if (standingOf === undefined || renewing.has(of)) return;
    renewing.add(of);
    const { session } = of;
    for (;;) {
      const { principal } = session;
      const standing = await standingOf(principal);
      // Its client may have shown another token meanwhile.
      if (session.principal !== principal) continue;
      if (standing.kind === "good") {
        of.over = undefined;
        session.renew(standing.principal);
      }
      if (standing.kind === "over") {
        of.over = principal;
        endWhenOver(of);
      }
      break;
    }
    renewing.delete(of);
  };

  const open = (caller: UnportedCaller, initializeParams: JsonObject): HttpSession => {
    const session = createLegacySession({ gateway, identity, caller, initializeParams, newId });
    const streams = createSessionStreams({
      log: log.session(),
      primed: session.protocolVersion >= primedSince,
      keepAliveMs: timings.keepAliveMs,
      keepMs: timings.keepMs,
      onCommon: (common) => session.setCommonStream(common),
    });
    const opened: HttpSession = { session, streams, working: 0 };
    sessions.add(opened, principalKey(caller.principal));
    return opened;
  };

  /**
   * @throws Refused 404 for one that is not there, or not the caller's, or that a token of theirs uses which may more: on
   *   its streams is said what this one may not hear. It tells the client to begin a new one
   */
  const named = ({ headers, caller }: McpExchange): HttpSession | undefined => {
    const id = headerOf(headers, sessionHeader);
    if (id === undefined) return undefined;
    const session = sessions.find(id, principalKey(caller.principal));
    const isIts = session !== undefined && scopesReach(caller.principal, session.session.principal);
    if (isIts) return session;
    throw new Refused(404, { code: -32_001, message: "Session not found" });
  };

  const work = async (
    { response, caller, body = "", challengeOf }: McpExchange,
    messages: readonly RpcMessage[],
    session: HttpSession | undefined,
    { batch, headers }: { batch: boolean; headers: Record<string, string> },
  ): Promise<void> => {
    const call = calls.begin(caller.principal, body.length);
    const stream = createPostAnswer({
      response,
      batch,
      headers,
      silenceMs: timings.silenceMs,
      openSink: (taken) => {
        if (session !== undefined) return openPost(session, taken, caller.principal, call.gone);
        taken.once("close", call.gone);
        return createEventSink(taken, timings.keepAliveMs);
      },
      onGone: call.gone,
      challengeOf,
    });
    if (session !== undefined) session.working += 1;
    const receive = (message: RpcMessage): Promise<void> =>
      session === undefined
        ? receiveAlone(message, stream, call.signal, caller)
        : session.session.receive(message, stream, { signal: call.signal, caller });
    try {
      const [only] = messages;
      if (only !== undefined && messages.length === 1) await receive(only);
      else await Promise.all(messages.map(receive));
    } finally {
      stream.end();
      call.done();
      if (session !== undefined) {
        session.working -= 1;
        endWhenOver(session);
      }
    }
  };

  /** A message without a session: only what needs none is answered, and nothing can be asked back. */
  const receiveAlone = async (
    message: RpcMessage,
    stream: MessageStream,
    signal: StopSignal,
    caller: UnportedCaller,
  ): Promise<void> => {
    if (!isRequest(message)) return;
    await answer(message, stream, signal, () => {
      if (sessionMethods.has(message.method)) throw new RpcFault(needsSession);
      const client = lonePort(caller, stream);
      return serveLegacy(message, { gateway, caller: { ...caller, client }, stream, signal });
    });
  };

  const initialize = (exchange: McpExchange, request: RpcRequest): Promise<void> => {
    const { params = {} } = request;
    if (typeof params["protocolVersion"] !== "string") {
      const message = "params.protocolVersion must be a string";
      throw new Refused(400, { code: rpcCodes.invalidParams, message }, request.id);
    }
    const fault = initializeFault(params);
    if (fault !== undefined) throw new Refused(400, fault, request.id);
    const session = open(exchange.caller, params);
    const headers = { [sessionHeader]: session.session.id };
    return work(exchange, [request], session, { batch: false, headers });
  };

  return {
    post(exchange, post) {
      const { headers, response } = exchange;
      if (!post.batch && isRequest(post.message) && post.message.method === "initialize") {
        return initialize(exchange, post.message);
      }
      checkLegacyVersion(headers);
      const session = named(exchange);
      if (post.batch && session !== undefined && !hasBatches(session.session.protocolVersion)) {
        throw invalidRequest("This session's revision has no batches");
      }
      const messages = post.batch ? post.messages : [post.message];
      const { principal } = exchange.caller;
      // Somebody who was let in goes on with it.
      if (session !== undefined) session.over = undefined;
      if (session !== undefined && !scopesReach(session.session.principal, principal)) {
        // From now on what is said in the session is for who may more.
        session.streams.endBelow(principal);
      }
      if (session === undefined && messages.some((message) => !("method" in message))) {
        throw invalidRequest("An answer belongs to a session, and none is named");
      }
      if (!messages.some(isRequest)) {
        // Notifications and answers are taken at once.
        const { caller } = exchange;
        for (const message of messages)
          void session?.session.receive(message, noStream, { caller });
        response.writeHead(202).end();
        return undefined;
      }
      return work(exchange, messages, session, { batch: post.batch, headers: {} });
    },
    get(exchange) {
      const { headers, response } = exchange;
      const session = named(exchange);
      if (session === undefined)
        throw notAllowed("Without a session there is nothing to listen to");
      checkLegacyVersion(headers);
      if (!accepts(headers.accept ?? "*/*", "text/event-stream")) {
        throw notAcceptable("Accept must name text/event-stream");
      }
      const lastEventId = headerOf(headers, "last-event-id") ?? "";
      if (
        lastEventId !== "" &&
        !session.streams.knows(lastEventId) &&
        !isCommonEvent(lastEventId)
      ) {
        throw invalidRequest("The stream of Last-Event-ID is gone");
      }
      response.writeHead(200, eventStreamHeaders);
      response.flushHeaders();
      exchange.onCredentialEnd(() => response.end());
      const connection = { response, principal: exchange.caller.principal };
      if (!session.streams.resume(lastEventId, connection)) session.streams.openCommon(connection);
    },
    delete(exchange) {
      const session = named(exchange);
      if (session === undefined) throw notAllowed("Without a session there is nothing to end");
      sessions.end(session.session.id, principalKey(exchange.caller.principal));
      exchange.response.writeHead(204).end();
    },
    standingsChanged() {
      for (const session of sessions.all()) void renew(session);
    },
    endStreams() {
      for (const { streams } of sessions.all()) streams.letGo();
    },
    close() {
      clearInterval(sweeping);
      for (const { session, streams } of sessions.all()) {
        session.end();
        streams.end();
      }
    },
    get sessionCount() {
      return sessions.count;
    },
  };
}

const sessionMethods: ReadonlySet<string> = new Set([
  "logging/setLevel",
  "resources/subscribe",
  "resources/unsubscribe",
]);
const needsSession = {
  code: rpcCodes.invalidRequest,
  message: "This needs a session: begin with initialize",
};

/** Where what needs no answer is answered. */
const noStream: MessageStream = { send: () => undefined, keepsUp: () => false };

/** A client that holds no session declared nothing, and said of no log messages that it wants them. */
function lonePort(caller: Caller, stream: MessageStream): ClientPort {
  return {
    era: "legacy",
    owner: principalKey(caller.principal),
    caller,
    capabilities: {},
    session: undefined,
    logLevel: undefined,
    request: (method) => Promise.reject(new RpcFault(methodNotFound(method))),
    notify: (method, params) => {
      if (method !== "notifications/message") sendNews(stream, notification(method, params));
    },
  };
}

/** What is said in a session, nobody hears whose token may less. */
function openPost(
  { session, streams }: HttpSession,
  response: ServerResponse,
  principal: Principal,
  onGone: () => void,
): EventSink {
  const sink = streams.openPost({ response, principal }, onGone);
  streams.endBelow(session.principal);
  return sink;
}
