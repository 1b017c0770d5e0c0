import { createServer } from "node:http";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Server as NetServer, Socket } from "node:net";
import { onTestFinished } from "vitest";

export interface Received {
  method: string;
  headers: IncomingMessage["headers"];
  body: {
    id?: number | string | undefined;
    method?: string | undefined;
    params?: Record<string, unknown> | undefined;
    result?: Record<string, unknown> | undefined;
  };
}

export interface HttpUpstream {
  readonly url: string;
  readonly origin: string;
  readonly received: readonly Received[];
  /** Messages of one method, in the order they came. */
  of(method: string): readonly Received[];
  /** Closes the port and every connection; the same port can be opened again. */
  stop(): Promise<void>;
  start(): Promise<void>;
}

export type Handler = (message: Received, response: ServerResponse) => void;

export function portOf(server: NetServer): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it has no port");
  return address.port;
}

function readBody(text: string): Received["body"] {
  const { id, method, params, result }: Received["body"] = JSON.parse(text);
  return { id, method, params, result };
}

/** A web server on loopback that hands each request with its JSON body to `handle`. */
export async function openHttpUpstream(handle: Handler): Promise<HttpUpstream> {
  const received: Received[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const text = Buffer.concat(chunks).toString();
      const message: Received = {
        method: request.method ?? "",
        headers: request.headers,
        body: text === "" ? {} : readBody(text),
      };
      received.push(message);
      handle(message, response);
    });
  });
  server.on("connection", (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  let port = 0;
  const start = async (): Promise<void> => {
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    port = portOf(server);
  };
  const stop = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = new Promise((resolve) => server.close(resolve));
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  await start();
  onTestFinished(stop);
  const origin = `http://127.0.0.1:${port}`;
  return {
    url: `${origin}/mcp`,
    origin,
    received,
    of: (method) => received.filter(({ body }) => body.method === method),
    start,
    stop,
  };
}

export function answerJson(
  response: ServerResponse,
  body: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

/**
 * The answers of a plain legacy server with sessions. `forget()` makes it forget every session, as a
 * restart does; `calls` handles `tools/call`.
 */
export function legacySessions(calls: Handler): { handle: Handler; forget(): void } {
  let count = 0;
  let current: string | undefined;
  const tools = [{ name: "run", inputSchema: { type: "object" } }];
  return {
    forget() {
      current = undefined;
    },
    handle(message, response) {
      const { id, method } = message.body;
      if (message.method === "GET") {
        response.writeHead(405).end();
      } else if (message.method === "DELETE") {
        response.writeHead(200).end();
      } else if (method === "initialize") {
        count++;
        current = `session-${count}`;
        const result = {
          protocolVersion: "2025-11-25",
          capabilities: { tools: {} },
          serverInfo: { name: "sessions", version: "1" },
        };
        answerJson(response, { jsonrpc: "2.0", id, result }, 200, { "mcp-session-id": current });
      } else if (message.headers["mcp-session-id"] !== current || current === undefined) {
        const error = { code: -32001, message: "Session not found" };
        answerJson(response, { jsonrpc: "2.0", id: null, error }, 404);
      } else if (id === undefined || method === undefined) {
        response.writeHead(202).end();
      } else if (method === "tools/list") {
        answerJson(response, { jsonrpc: "2.0", id, result: { tools } });
      } else if (method === "tools/call") {
        calls(message, response);
      } else {
        answerJson(response, { jsonrpc: "2.0", id, result: {} });
      }
    },
  };
}
