import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { InMemoryEventStore } from "@modelcontextprotocol/sdk/examples/shared/inMemoryEventStore.js";
import { Server as OldServer } from "@modelcontextprotocol/sdk/server/index.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { CallToolRequestSchema, ElicitResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, Server } from "@modelcontextprotocol/server";
import type { McpHttpHandler } from "@modelcontextprotocol/server";
import { onTestFinished } from "vitest";

type Handle = (request: IncomingMessage, response: ServerResponse) => void;

/** Serves on a free loopback port until the test is finished. @returns the origin */
async function serve(handle: Handle): Promise<string> {
  const server = createServer(handle);
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  const address = server.address();
  return `http://127.0.0.1:${typeof address === "object" && address !== null ? address.port : 0}`;
}

export interface OldServerSeen {
  /** Reasons of the cancellations that reached a running tool. */
  cancelled: unknown[];
  /** How often the session's end was asked for. */
  ended: number;
}

/**
 * A server of the SDK's first version, whose tools are `tell` (progress, a log message, then a message to
 * everybody), `ask` (elicitation), `poll` (lets its stream be cut, and goes on) and `wait` (for ever).
 */
function createOldServer(seen: OldServerSeen): OldServer {
  const server = new OldServer(
    { name: "old", version: "1.0.0" },
    {
      capabilities: { tools: { listChanged: true }, logging: {} },
      instructions: "Old.",
    },
  );
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const content = [{ type: "text" as const, text: params.name }];
    if (params.name === "tell") {
      const progressToken = params._meta?.progressToken ?? "none";
      await extra.sendNotification({
        method: "notifications/progress",
        params: { progressToken, progress: 1 },
      });
      await extra.sendNotification({
        method: "notifications/message",
        params: { level: "info", data: "own" },
      });
      await server.sendToolListChanged();
    }
    if (params.name === "ask") {
      const answer = await extra.sendRequest(
        {
          method: "elicitation/create",
          params: { message: "Name?", requestedSchema: { type: "object", properties: {} } },
        },
        ElicitResultSchema,
      );
      return { content, answer };
    }
    if (params.name === "poll") {
      extra.closeSSEStream?.();
      await new Promise((resolve) => {
        setTimeout(resolve, 20);
      });
    }
    if (params.name === "wait") {
      await new Promise<void>((resolve) => {
        extra.signal.addEventListener("abort", () => resolve());
      });
      seen.cancelled.push(extra.signal.reason);
    }
    return { content };
  });
  return server;
}

export interface StartedOldServer extends OldServerSeen {
  url: string;
}

/** Streamable HTTP of the SDK's first version: sessions, and an event store to resume from. */
export async function startOldStreamable(): Promise<StartedOldServer> {
  const seen: OldServerSeen = { cancelled: [], ended: 0 };
  const transports = new Map<string, StreamableHTTPServerTransport>();
  const start = async (): Promise<StreamableHTTPServerTransport> => {
    const transport = new StreamableHTTPServerTransport({
      sessionIdGenerator: () => randomUUID(),
      eventStore: new InMemoryEventStore(),
      retryInterval: 10,
      onsessioninitialized: (id) => void transports.set(id, transport),
    });
    await createOldServer(seen).connect(transport);
    return transport;
  };
  const origin = await serve((request, response) => {
    void (async () => {
      if (request.method === "DELETE") seen.ended++;
      const session = request.headers["mcp-session-id"];
      const known = typeof session === "string" ? transports.get(session) : undefined;
      await (known ?? (await start())).handleRequest(request, response);
    })();
  });
  return Object.assign(seen, { url: `${origin}/mcp` });
}

/** HTTP+SSE of the SDK's first version. */
export async function startOldSse(): Promise<StartedOldServer> {
  const seen: OldServerSeen = { cancelled: [], ended: 0 };
  const transports = new Map<string, SSEServerTransport>();
  const origin = await serve((request, response) => {
    const url = new URL(request.url ?? "", "http://x");
    void (async () => {
      if (url.pathname === "/sse" && request.method === "GET") {
        const transport = new SSEServerTransport("/message", response);
        transports.set(transport.sessionId, transport);
        response.on("close", () => seen.ended++);
        await createOldServer(seen).connect(transport);
        return;
      }
      const transport = transports.get(url.searchParams.get("sessionId") ?? "");
      if (transport === undefined || request.method !== "POST") response.writeHead(404).end();
      else await transport.handlePostMessage(request, response);
    })();
  });
  return Object.assign(seen, { url: `${origin}/sse` });
}

export interface StartedNewServer {
  url: string;
  notify: McpHttpHandler["notify"];
  /** How many waiting calls were cancelled. */
  cancelled: number;
}

/** A server of the SDK's second version, of both eras unless it rejects the legacy one. */
export async function startNewServer(
  legacy: "stateless" | "reject" = "stateless",
): Promise<StartedNewServer> {
  const seen = { cancelled: 0 };
  const handler = createMcpHandler(
    () => {
      const server = new Server(
        { name: "new", version: "3.0.0" },
        { capabilities: { tools: { listChanged: true } }, instructions: "New." },
      );
      server.fallbackRequestHandler = async ({ method, params }, context) => {
        if (method === "tools/list") return { tools: [] };
        const name = params?.["name"];
        if (name === "tell") {
          const progressToken = params?.["_meta"]?.progressToken ?? "none";
          await context.mcpReq.notify({
            method: "notifications/progress",
            params: { progressToken, progress: 1 },
          });
        }
        if (name === "wait") {
          await new Promise<void>((resolve) => {
            context.mcpReq.signal.addEventListener("abort", () => resolve());
          });
          seen.cancelled++;
        }
        return { content: [], name, "x-unknown": { kept: true } };
      };
      return server;
    },
    { legacy },
  );
  const handle = toNodeHandler(handler);
  const origin = await serve((request, response) => void handle(request, response));
  onTestFinished(() => handler.close());
  return Object.assign(seen, { url: `${origin}/mcp`, notify: handler.notify });
}
