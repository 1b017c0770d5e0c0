import { AppError } from "../core/errors.ts";
import { isRequest, rpcCodes } from "../core/json-rpc.ts";
import type { RpcNotification, RpcRequest } from "../core/json-rpc.ts";
import { principalKey } from "../core/principal.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { toJsonRpcError } from "../gateway/json-rpc-error.ts";
import { parameterHeaderFault, standardHeaderFault } from "./check-headers.ts";
import { createEventSink } from "./event-sink.ts";
import type { McpExchange, McpTimings } from "./mcp-endpoint.ts";
import type { McpIdentity } from "./mcp-identity.ts";
import { createPostAnswer } from "./post-answer.ts";
import { Refused } from "./refused.ts";
import type { RunningCalls } from "./running-calls.ts";
import { modernFault, serveModern, clientOf } from "./serve-modern.ts";

/** The modern era over HTTP: every request for itself. */
export interface ModernHttp {
  /** @throws Refused */
  post(exchange: McpExchange, message: RpcRequest | RpcNotification): Promise<void>;
}

export interface ModernHttpOptions {
  gateway: Gateway;
  identity: McpIdentity;
  timings: McpTimings;
  calls: RunningCalls;
  ending: AbortSignal;
}

/** Open `subscriptions/listen`: each is a connection. */
const mostListening = 1_024;
const mostListeningOfOne = 128;

export function createModernHttp(options: ModernHttpOptions): ModernHttp {
  const { gateway, identity, timings, calls, ending } = options;
  /** Principals of open subscriptions. */
  const listening: string[] = [];

  const beginListening = (owner: string): (() => void) => {
    const own = listening.filter((other) => other === owner).length;
    if (listening.length >= mostListening || own >= mostListeningOfOne) {
      throw new AppError("rate_limited", "Too many subscriptions are open");
    }
    listening.push(owner);
    return () => listening.splice(listening.indexOf(owner), 1);
  };

  /** When a subscription ends by itself: with the gateway, or with its caller's credential. */
  const endOf = (exchange: McpExchange): AbortSignal => {
    const ended = new AbortController();
    const end = (): void => ended.abort();
    if (ending.aborted) end();
    ending.addEventListener("abort", end, { once: true });
    exchange.response.once("close", () => ending.removeEventListener("abort", end));
    exchange.onCredentialEnd(end);
    return ended.signal;
  };

  const serve = async (
    exchange: McpExchange,
    request: RpcRequest,
    ends?: AbortSignal,
  ): Promise<void> => {
    const { caller, response, body = "" } = exchange;
    const call = calls.begin(caller.principal, body.length);
    const answer = createPostAnswer({
      response,
      batch: false,
      headers: {},
      silenceMs: timings.silenceMs,
      openSink: (taken) => {
        taken.once("close", call.gone);
        return createEventSink(taken, timings.keepAliveMs);
      },
      onGone: call.gone,
      challengeOf: exchange.challengeOf,
    });
    try {
      const { signal } = call;
      await serveModern(request, {
        gateway,
        identity,
        caller,
        stream: answer,
        signal,
        ending: ends,
      });
    } finally {
      answer.end();
      call.done();
    }
  };

  return {
    async post(exchange, message) {
      if (!isRequest(message)) {
        // What it is about is known by its stream (2026-07-28, "Cancellation"), so there is nothing to hear.
        exchange.response.writeHead(202).end();
        return;
      }
      check(exchange, message);
      if (message.method !== "subscriptions/listen") {
        await serve(exchange, message);
        return;
      }
      let stop: () => void;
      try {
        stop = beginListening(principalKey(exchange.caller.principal));
      } catch (error) {
        throw new Refused(503, toJsonRpcError(error), message.id);
      }
      await serve(exchange, message, endOf(exchange)).finally(stop);
    },
  };

  function check({ headers, caller }: McpExchange, request: RpcRequest): void {
    const fault = modernFault(request);
    const isUnknown = fault?.code === rpcCodes.methodNotFound;
    if (fault !== undefined && !isUnknown) throw new Refused(400, fault, request.id);
    const mismatch = standardHeaderFault(request, headers);
    if (mismatch !== undefined) throw mismatch;
    if (fault !== undefined) throw new Refused(404, fault, request.id);
    const name = request.params?.["name"];
    if (request.method !== "tools/call" || typeof name !== "string") return;
    // The three tools of that mode have no such arguments, and what a server names alike is none of them.
    if (caller.mode === "discover") return;
    const context = { ...caller, client: clientOf(request, caller) };
    const tool = gateway.exposedTool(context, name);
    const wrong =
      tool === undefined ? undefined : parameterHeaderFault(request, tool.inputSchema, headers);
    if (wrong !== undefined) throw wrong;
  }
}
