import {
  createMcpHandler,
  Server,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "@modelcontextprotocol/server";
import type { Json } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { CallerContext, Gateway } from "../gateway/gateway.ts";
import { clientNameOf, isModern, methodOf } from "./mcp-message.ts";
import { createMcpSessions, type McpSession } from "./mcp-sessions.ts";
import { cancelCall, toolRequestHandlers, type ToolRequestContext } from "./tool-requests.ts";

/** The protocol revisions spoken here, newest first. */
export const protocolVersions: readonly string[] = ["2026-07-28", ...SUPPORTED_PROTOCOL_VERSIONS];

/** One HTTP request to the MCP endpoint, authenticated, its body parsed. */
export interface McpExchange {
  method: string;
  headers: Headers;
  /** Absent for GET and DELETE. */
  body: Json | undefined;
  /** Aborted when the client has gone or the gateway stops. */
  signal: AbortSignal;
  /** Whether the client reads as fast as it is written to. */
  keepsUp: () => boolean;
  caller: CallerContext;
}

/**
 * MCP's Streamable HTTP in both protocol eras, over web-standard requests and responses. Does not listen,
 * authenticate, or check Host and Origin: that is done before.
 */
export interface McpEndpoint {
  handle(exchange: McpExchange): Promise<Response>;
  /** Ends what would otherwise stay open for ever (subscription streams); calls in flight go on. */
  endStreams(): void;
  close(): Promise<void>;
}

export interface McpEndpointOptions {
  gateway: Gateway;
  version: string;
  /** Unguessable: session ids are made of it. */
  newId: () => string;
  logger: Logger;
}

const sessionHeader = "mcp-session-id";

export function createMcpEndpoint(options: McpEndpointOptions): McpEndpoint {
  const { gateway, version, newId, logger } = options;
  const sessions = createMcpSessions(newId);
  const exchanges = new WeakMap<Request, ToolRequestContext>();
  const streams = new Set<AbortController>();

  const handler = createMcpHandler(
    ({ era, requestInfo }) => {
      const context = requestInfo === undefined ? undefined : exchanges.get(requestInfo);
      if (context === undefined) throw new Error("An MCP request without its exchange");
      const server = new Server(
        { name: "onedoor", title: "OneDoor", version },
        {
          // In the legacy era nothing could carry the news: there is no stream outside a request.
          capabilities: { tools: { listChanged: era === "modern" } },
          ...instructionsFor(context),
        },
      );
      if (knowsMethods(context.body)) {
        server.fallbackRequestHandler = (request, sdk) => {
          const handle = toolRequestHandlers.get(request.method);
          if (handle === undefined) throw methodNotFound();
          return handle(request, sdk, context);
        };
      }
      return server;
    },
    {
      maxSubscriptions: 1024,
      onerror: (error) => logger.debug("An MCP request was refused", { reason: error.message }),
    },
  );

  const instructionsFor = ({ body, caller }: ToolRequestContext): { instructions?: string } => {
    const method = methodOf(body);
    return method === "initialize" || method === "server/discover"
      ? { instructions: gateway.instructions(caller, "mcp") }
      : {};
  };

  const stopNotifying = gateway.onToolsChanged(() => handler.notify.toolsChanged());

  const serve = (exchange: McpExchange, context: ToolRequestContext): Promise<Response> => {
    const { method, headers, signal } = exchange;
    const request = new Request("http://localhost/mcp", { method, headers, signal });
    exchanges.set(request, context);
    return handler.fetch(request, context.body === undefined ? {} : { parsedBody: context.body });
  };

  return {
    async handle(exchange) {
      const { method, headers, body, caller, keepsUp } = exchange;
      const { userId } = caller.principal;
      const kind = methodOf(body);
      const id = isModern(body) || kind === "initialize" ? null : headers.get(sessionHeader);
      let session: McpSession | undefined;
      if (id !== null) {
        if (method === "DELETE") {
          return sessions.end(id, userId) ? new Response(null, { status: 204 }) : noSession();
        }
        session = sessions.find(id, userId);
        if (session === undefined) return noSession();
        if (kind === "notifications/cancelled") cancelCall(session, body);
      }
      const clientName = session?.clientName ?? clientNameOf(body) ?? caller.clientName;
      const context: ToolRequestContext = {
        gateway,
        caller: {
          ...caller,
          clientName: oneLine(clientName, 200),
          sessionId: session?.id ?? caller.sessionId,
        },
        session,
        body,
        keepsUp,
      };
      if (kind === "subscriptions/listen") return serveStream(exchange, context);
      const response = await serve(exchange, context);
      if (kind === "initialize" && response.status === 200) {
        response.headers.set(sessionHeader, sessions.open(userId, clientNameOf(body)).id);
      }
      return response;
    },
    endStreams() {
      for (const stream of streams) stream.abort();
    },
    async close() {
      stopNotifying();
      await handler.close();
    },
  };

  function serveStream(exchange: McpExchange, context: ToolRequestContext): Promise<Response> {
    const stream = new AbortController();
    const end = (): void => stream.abort();
    exchange.signal.addEventListener("abort", end, { once: true });
    stream.signal.addEventListener("abort", () => streams.delete(stream), { once: true });
    streams.add(stream);
    return serve({ ...exchange, signal: stream.signal }, context);
  }
}

/** Whether the gateway answers what the body asks; a batch is looked at message by message. */
function knowsMethods(body: Json | undefined): boolean {
  return Array.isArray(body) || toolRequestHandlers.has(methodOf(body) ?? "");
}

function methodNotFound(): Error {
  return Object.assign(new Error("Method not found"), { code: -32601 });
}

/** 2025-11-25, "Session Management": 404 tells the client to begin a new session. */
function noSession(): Response {
  const error = { code: -32001, message: "Session not found" };
  return Response.json({ jsonrpc: "2.0", id: null, error }, { status: 404 });
}
