import { setMaxListeners } from "node:events";
import type { IncomingHttpHeaders, OutgoingHttpHeaders, ServerResponse } from "node:http";
import type { InsufficientScope } from "../core/insufficient-scope.ts";
import { rpcCodes } from "../core/json-rpc.ts";
import type { Logger } from "../core/logger.ts";
import { legacyVersions, modernVersions } from "../core/mcp.ts";
import type { Principal } from "../core/principal.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { McpIdentity, UnportedCaller } from "./mcp-identity.ts";
import { createLegacyHttp } from "./legacy-http.ts";
import { createModernHttp } from "./modern-http.ts";
import { sendJson } from "./post-answer.ts";
import { readPost } from "./read-post.ts";
import { notAllowed, Refused } from "./refused.ts";
import { createRunningCalls } from "./running-calls.ts";
import { failure } from "./rpc-messages.ts";
import type { SessionLimits } from "./http-sessions.ts";

/** The protocol revisions spoken here, newest first. */
export const protocolVersions: readonly string[] = [...modernVersions, ...legacyVersions];

/** One HTTP request to the MCP endpoint, authenticated. */
export interface McpExchange {
  method: string;
  headers: IncomingHttpHeaders;
  /** Absent for GET and DELETE. */
  body: string | undefined;
  caller: UnportedCaller;
  response: ServerResponse;
  /**
   * Registers what ends an answer that would stay open as long as the client likes; called when the
   * caller's credential is no longer good.
   */
  onCredentialEnd(end: () => void): void;
  /**
   * What is said in the head of a 403 to a credential that is limited to less than was asked for; absent: what RFC 6750
   * §3.1 has, and nothing beside.
   */
  challengeOf?: ((refusal: InsufficientScope) => OutgoingHttpHeaders) | undefined;
}

/**
 * MCP's Streamable HTTP in both protocol eras at one address. Does not listen, authenticate, or check Host
 * and Origin: that is done before.
 */
export interface McpEndpoint {
  /** Answers the exchange; resolves when that is done or its answer goes on by itself. Never rejects. */
  handle(exchange: McpExchange): Promise<void>;
  /** Ends what would otherwise stay open for ever (subscriptions, GET streams); calls in flight go on. */
  endStreams(): void;
  /**
   * Who there is has changed: sessions go on as what their principals hold now, and those end whose credential was
   * taken back. One that merely expired may be followed by a newer one.
   */
  standingsChanged(): void;
  /** Cancels the calls in flight, which are answered with this reason. */
  cancelAll(reason: Error): void;
  /** Ends every session. */
  close(): void;
  /** Sessions of the legacy era; the modern one has none. */
  readonly sessionCount: number;
}

/** As what somebody who was let in would be let in now. Never rejects. */
export type StandingOf = (
  principal: Principal,
) => Promise<{ kind: "good"; principal: Principal } | { kind: "expired" } | { kind: "over" }>;

export interface McpTimings {
  /** A call without a word becomes an event stream after this. */
  silenceMs: number;
  /** Between two comments on a stream that says nothing. */
  keepAliveMs: number;
  /** How long a stream is kept for its client to come back, and the call behind it alive. */
  keepMs: number;
}

const defaultTimings: McpTimings = {
  silenceMs: 3_000,
  keepAliveMs: 15_000,
  keepMs: 60_000,
};

export interface McpEndpointOptions {
  gateway: Gateway;
  identity: McpIdentity;
  /** Unguessable: session ids are made of it. */
  newId: () => string;
  /** Milliseconds. */
  now: () => number;
  logger: Logger;
  /** Absent: nobody's standing changes. */
  standingOf?: StandingOf | undefined;
  timings?: Partial<McpTimings> | undefined;
  sessionLimits?: Partial<SessionLimits> | undefined;
}

export function createMcpEndpoint(options: McpEndpointOptions): McpEndpoint {
  const { logger } = options;
  const timings = { ...defaultTimings, ...options.timings };
  const calls = createRunningCalls();
  const ending = new AbortController();
  // Every subscription listens to it.
  setMaxListeners(0, ending.signal);
  const legacy = createLegacyHttp({ ...options, timings, calls });
  const modern = createModernHttp({ ...options, timings, calls, ending: ending.signal });

  /** @returns what is to be waited for, if anything is */
  const serve = (exchange: McpExchange): Promise<void> | undefined => {
    switch (exchange.method) {
      case "POST": {
        const post = readPost(exchange);
        if (post.era === "modern") return modern.post(exchange, post.message);
        return legacy.post(exchange, post);
      }
      case "GET":
        if (ending.signal.aborted) throw stopping();
        legacy.get(exchange);
        return undefined;
      case "DELETE":
        legacy.delete(exchange);
        return undefined;
      default:
        throw notAllowed(`${exchange.method} is not for this path`);
    }
  };

  return {
    async handle(exchange) {
      try {
        await serve(exchange);
      } catch (error) {
        refuse(exchange.response, error, logger);
      }
    },
    endStreams() {
      ending.abort();
      legacy.endStreams();
    },
    standingsChanged: () => legacy.standingsChanged(),
    cancelAll: (reason) => calls.cancelAll(reason),
    close: () => legacy.close(),
    get sessionCount() {
      return legacy.sessionCount;
    },
  };
}

function stopping(): Refused {
  const message = "The gateway is stopping";
  return new Refused(503, { code: rpcCodes.internalError, message }, null, { "retry-after": "5" });
}

function refuse(response: ServerResponse, error: unknown, logger: Logger): void {
  if (!(error instanceof Refused)) {
    logger.error("An MCP request failed unexpectedly", {
      error: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }
  if (response.headersSent || response.destroyed) {
    // Half an answer must not look like a whole one.
    response.destroy();
    return;
  }
  if (error instanceof Refused) {
    logger.debug("An MCP request was refused", { reason: error.message });
    sendJson(response, error.status, failure(error.id, error.error), { ...error.headers });
    return;
  }
  const unexpected = { code: rpcCodes.internalError, message: "Unexpected failure" };
  sendJson(response, 500, failure(null, unexpected));
}
