import { randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import { Server as OldServer } from "@modelcontextprotocol/sdk/server/index.js";
import { SSEServerTransport } from "@modelcontextprotocol/sdk/server/sse.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import type { EventStore } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import {
  CallToolRequestSchema,
  ElicitResultSchema,
  ListToolsRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler, Server } from "@modelcontextprotocol/server";
import { createRemoteJWKSet, decodeJwt, jwtVerify } from "jose";
import type { JWTPayload } from "jose";
import { onTestFinished } from "vitest";
import { portOf } from "./http-upstream.ts";

type Handle = (request: IncomingMessage, response: ServerResponse, body: unknown) => Promise<void>;

/** One request, after its token was found to be good. */
export interface Verified {
  httpMethod: string;
  /** Of JSON-RPC; `resume` and `stream` for GET. */
  what: string;
  claims: JWTPayload;
  /** All that came, to look for what must not have. */
  raw: string;
}

export interface VerifyingUpstream {
  url: string;
  verified: readonly Verified[];
  /** Why requests were refused. */
  refused: readonly string[];
  of(what: string): readonly Verified[];
}

const tools = ["run", "poll", "ask"].map((name) => ({
  name,
  inputSchema: { type: "object" as const },
  annotations: { readOnlyHint: true },
}));

/** A server that lets nobody in without a token of the gateway, which it verifies by the published keys alone. */
export async function openVerifyingUpstream(
  kind: "legacy" | "sse" | "modern",
  gateway: () => string,
): Promise<VerifyingUpstream> {
  const verified: Verified[] = [];
  const refused: string[] = [];
  const handle = { legacy: legacyHandle, sse: sseHandle, modern: modernHandle }[kind]();
  let keys: ReturnType<typeof createRemoteJWKSet> | undefined;
  let url = "";
  const server = createServer((request, response) => {
    void (async () => {
      const body = await bodyOf(request);
      try {
        keys ??= createRemoteJWKSet(new URL(`${gateway()}/oauth/jwks`));
        const { authorization = "" } = request.headers;
        const { payload } = await jwtVerify(authorization.replace(/^Bearer /u, ""), keys, {
          issuer: gateway(),
          audience: url,
          typ: "at+jwt",
          algorithms: ["ES256"],
        });
        const raw = JSON.stringify([request.url, request.rawHeaders, body]);
        const httpMethod = request.method ?? "";
        verified.push({ httpMethod, what: whatOf(request, body), claims: payload, raw });
      } catch (error) {
        refused.push(String(error));
        response.writeHead(401).end();
        return;
      }
      await handle(request, response, parsed(body));
    })();
  });
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => {
      server.close(resolve);
    });
  });
  url = `http://127.0.0.1:${portOf(server)}/${kind === "sse" ? "sse" : "mcp"}`;
  return { url, verified, refused, of: (what) => verified.filter((one) => one.what === what) };
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  return (await request.toArray()).join("");
}

function whatOf({ method, headers }: IncomingMessage, body: string): string {
  if (method === "GET") return headers["last-event-id"] === undefined ? "stream" : "resume";
  if (body === "") return method ?? "";
  const message: unknown = parsed(body);
  const isCall = typeof message === "object" && message !== null && "method" in message;
  return isCall ? String(message.method) : "answer";
}

function parsed(body: string): unknown {
  return body === "" ? undefined : JSON.parse(body);
}

/** What is listed to one caller alone, in one project. */
function toolOf(authorization: string | string[] | undefined): (typeof tools)[number] {
  const { sub, project_id: project = "none" } = decodeJwt(String(authorization).slice(7));
  return {
    name: `of-${sub}-${String(project)}`,
    inputSchema: { type: "object" },
    annotations: { readOnlyHint: true },
  };
}

function oldServer(): OldServer {
  const server = new OldServer({ name: "old", version: "1" }, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, (_request, { requestInfo }) => ({
    tools: [...tools, toolOf(requestInfo?.headers["authorization"])],
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    if (params.name === "poll") extra.closeSSEStream?.();
    if (params.name === "ask") {
      const requestedSchema = { type: "object" as const, properties: {} };
      const question = { message: "Name?", requestedSchema };
      const asked = { method: "elicitation/create" as const, params: question };
      await extra.sendRequest(asked, ElicitResultSchema);
    }
    return { content: [{ type: "text", text: params.name }] };
  });
  return server;
}

/** In the order they were stored; the SDK's example orders those of one millisecond by chance, and so loses answers. */
function createEventStore(): EventStore {
  const events: { streamId: string; message: Parameters<EventStore["storeEvent"]>[1] }[] = [];
  return {
    async storeEvent(streamId, message) {
      return String(events.push({ streamId, message }));
    },
    async replayEventsAfter(lastEventId, { send }) {
      const { streamId } = events[Number(lastEventId) - 1] ?? { streamId: "" };
      for (let at = Number(lastEventId); at < events.length; at++) {
        const event = events[at];
        if (event?.streamId === streamId) await send(String(at + 1), event.message);
      }
      return streamId;
    },
  };
}

function legacyHandle(): Handle {
  const transports = new Map<string, StreamableHTTPServerTransport>();
  return async (request, response, body) => {
    const session = request.headers["mcp-session-id"];
    let transport = typeof session === "string" ? transports.get(session) : undefined;
    if (transport === undefined) {
      const fresh = new StreamableHTTPServerTransport({
        sessionIdGenerator: () => randomUUID(),
        eventStore: createEventStore(),
        retryInterval: 10,
        onsessioninitialized: (id) => void transports.set(id, fresh),
      });
      await oldServer().connect(fresh);
      transport = fresh;
    }
    await transport.handleRequest(request, response, body);
  };
}

function sseHandle(): Handle {
  const transports = new Map<string, SSEServerTransport>();
  return async (request, response, body) => {
    if (request.method === "GET") {
      const transport = new SSEServerTransport("/message", response);
      transports.set(transport.sessionId, transport);
      await oldServer().connect(transport);
      return;
    }
    const { searchParams } = new URL(request.url ?? "", "http://x");
    const transport = transports.get(searchParams.get("sessionId") ?? "");
    await transport?.handlePostMessage(request, response, body);
  };
}

function modernHandle(): Handle {
  const handler = createMcpHandler(
    () => {
      const server = new Server({ name: "new", version: "1" }, { capabilities: { tools: {} } });
      server.fallbackRequestHandler = ({ method }) =>
        Promise.resolve(method === "tools/list" ? { tools } : { content: [] });
      return server;
    },
    { legacy: "reject" },
  );
  const handle = toNodeHandler(handler);
  return async (request, response, body) => {
    await handle(request, response, body);
  };
}
