import { createServer, request, type IncomingMessage, type Server } from "node:http";
import { randomUUID } from "node:crypto";
import { afterEach } from "vitest";
import { isJsonObject, parseJson } from "../../src/core/json.ts";
import type { Json, JsonObject } from "../../src/core/json.ts";
import type { Logger } from "../../src/core/logger.ts";
import { createMcpEndpoint } from "../../src/mcp/mcp-endpoint.ts";
import type { McpEndpoint, McpEndpointOptions } from "../../src/mcp/mcp-endpoint.ts";
import { gatewayIdentity } from "../../src/mcp/mcp-identity.ts";
import { fakeGateway, people } from "./fake-gateway.ts";
import type { FakeGateway } from "./fake-gateway.ts";

// The endpoint behind a bare HTTP server, before a gateway whose answers a test decides; and a client that
// says on the wire whatever it is told to.

const both = "application/json, text/event-stream";
const ends: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

export interface Running {
  gateway: FakeGateway;
  endpoint: McpEndpoint;
  port: number;
  /** What the endpoint took for a fault of its own. */
  errors: unknown[];
  /** How many connections the server holds for open, as it sees them. */
  readonly openConnections: number;
}

export async function startEndpoint(
  options: Partial<
    Pick<McpEndpointOptions, "timings" | "sessionLimits" | "now" | "standingOf">
  > = {},
): Promise<Running> {
  const gateway = fakeGateway();
  const errors: unknown[] = [];
  const logger: Logger = {
    debug: () => undefined,
    info: () => undefined,
    warn: () => undefined,
    error: (_message, fields) => void errors.push(fields),
  };
  const endpoint = createMcpEndpoint({
    gateway,
    identity: gatewayIdentity(gateway, "1.2.3"),
    newId: randomUUID,
    now: Date.now,
    logger,
    ...options,
  });
  let openConnections = 0;
  const server: Server = createServer((incoming, response) => {
    openConnections += 1;
    response.once("close", () => (openConnections -= 1));
    void handle(endpoint, incoming, response);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  ends.push(async () => {
    endpoint.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    gateway,
    endpoint,
    port,
    errors,
    get openConnections() {
      return openConnections;
    },
  };
}

async function handle(
  endpoint: McpEndpoint,
  incoming: IncomingMessage,
  response: Parameters<McpEndpoint["handle"]>[0]["response"],
): Promise<void> {
  let body = "";
  for await (const chunk of incoming.setEncoding("utf8")) body += String(chunk);
  const bearer = incoming.headers.authorization?.replace(/^Bearer /u, "") ?? "ada-token";
  const principal = people[bearer];
  if (principal === undefined) throw new Error(`Nobody has ${bearer}`);
  await endpoint.handle({
    method: incoming.method ?? "GET",
    headers: incoming.headers,
    body: incoming.method === "POST" ? body : undefined,
    // Another object at each request, as after each authentication.
    caller: {
      principal: { ...principal },
      clientName: "unknown",
      sessionId: null,
      projectId: null,
    },
    response,
    onCredentialEnd: () => undefined,
  });
}

export interface WireAnswer {
  status: number;
  headers: IncomingMessage["headers"];
  text: string;
  /** Of a JSON answer or of all events. */
  messages: Json[];
  /** The last message. */
  last: JsonObject;
}

export interface WireEvent {
  id: string | undefined;
  /** Undefined for an event without data. */
  message: JsonObject | undefined;
}

/** An answer that is still coming. */
export interface OpenAnswer {
  status: number;
  headers: IncomingMessage["headers"];
  /** Resolves with the next event; undefined at the end of the stream. */
  next(): Promise<WireEvent | undefined>;
  /** The next event with a message. @throws Error when the stream ends before */
  nextMessage(): Promise<JsonObject>;
  /** Everything that came until now, as text. */
  readonly text: string;
  /** Cuts the connection. */
  cut(): void;
  ended: Promise<void>;
  /** Stops taking from the socket. */
  pause(): void;
  resume(): void;
}

export interface Post {
  method?: string;
  headers?: Record<string, string>;
  /** Text is sent as it is. */
  body?: Json | string;
}

/** Opens a request; resolves with the head of its answer. */
export function open(port: number, { method, headers = {}, body }: Post): Promise<OpenAnswer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: "127.0.0.1",
      port,
      path: "/mcp",
      method: method ?? (body === undefined ? "GET" : "POST"),
      headers: {
        accept: both,
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...headers,
      },
      agent: false,
    });
    outgoing.on("error", reject);
    outgoing.on("response", (incoming) => resolve(reading(incoming)));
    outgoing.end(typeof body === "string" || body === undefined ? body : JSON.stringify(body));
  });
}

function reading(incoming: IncomingMessage): OpenAnswer {
  let text = "";
  let read = 0;
  let over = false;
  let wake: (() => void) | undefined;
  incoming.setEncoding("utf8");
  incoming.on("data", (chunk: string) => {
    text += chunk;
    wake?.();
  });
  incoming.on("error", () => undefined);
  const ended = new Promise<void>((resolve) => {
    incoming.on("close", () => {
      over = true;
      wake?.();
      resolve();
    });
  });

  const next = async (): Promise<WireEvent | undefined> => {
    for (;;) {
      const end = text.indexOf("\n\n", read);
      if (end >= 0) {
        const lines = text.slice(read, end).split("\n");
        read = end + 2;
        const field = (name: string): string | undefined =>
          lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const data = field("data");
        if (data === undefined) continue;
        const message = data === "" ? undefined : parseJson(data);
        return { id: field("id"), message: isJsonObject(message) ? message : undefined };
      }
      if (over) return undefined;
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  return {
    status: incoming.statusCode ?? 0,
    headers: incoming.headers,
    next,
    async nextMessage() {
      for (;;) {
        const event = await next();
        if (event === undefined) throw new Error(`The stream ended: ${text}`);
        if (event.message !== undefined) return event.message;
      }
    },
    get text() {
      return text;
    },
    cut: () => incoming.destroy(),
    ended,
    pause: () => incoming.pause(),
    resume: () => incoming.resume(),
  };
}

/** One whole exchange. */
export async function exchange(port: number, post: Post): Promise<WireAnswer> {
  const answer = await open(port, post);
  await answer.ended;
  const { status, headers, text } = answer;
  const messages: Json[] = [];
  if (headers["content-type"]?.startsWith("text/event-stream") === true) {
    for (let event = await answer.next(); event !== undefined; event = await answer.next()) {
      if (event.message !== undefined) messages.push(event.message);
    }
  } else if (text !== "") messages.push(parseJson(text));
  const last = messages.at(-1);
  return { status, headers, text, messages, last: isJsonObject(last) ? last : {} };
}

export const initializeMessage = (
  capabilities: JsonObject = {},
  protocolVersion = "2025-11-25",
): JsonObject => ({
  jsonrpc: "2.0",
  id: "init",
  method: "initialize",
  params: { protocolVersion, capabilities, clientInfo: { name: "raw", version: "1" } },
});

export interface RawSession {
  id: string;
  headers: Record<string, string>;
  post(message: JsonObject | Json[]): Promise<WireAnswer>;
  openPost(message: JsonObject): Promise<OpenAnswer>;
  openGet(lastEventId?: string): Promise<OpenAnswer>;
}

/** A legacy session of this person. */
export async function openSession(
  port: number,
  capabilities: JsonObject = {},
  { version = "2025-11-25", token = "ada-token" } = {},
): Promise<RawSession> {
  const authorization = `Bearer ${token}`;
  const answer = await exchange(port, {
    headers: { authorization },
    body: initializeMessage(capabilities, version),
  });
  const id = String(answer.headers["mcp-session-id"]);
  const headers = { authorization, "mcp-session-id": id, "mcp-protocol-version": version };
  return {
    id,
    headers,
    post: (body) => exchange(port, { headers, body }),
    openPost: (body) => open(port, { headers, body }),
    openGet: (lastEventId) =>
      open(port, {
        headers: {
          ...headers,
          ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }),
        },
      }),
  };
}

export const envelope = (more: JsonObject = {}): JsonObject => ({
  "io.modelcontextprotocol/protocolVersion": "2026-07-28",
  "io.modelcontextprotocol/clientInfo": { name: "raw-modern", version: "1" },
  "io.modelcontextprotocol/clientCapabilities": {},
  ...more,
});

/** A modern request with the headers that belong to it. */
export function modern(
  method: string,
  params: JsonObject = {},
  more: {
    id?: number | string;
    headers?: Record<string, string | undefined>;
    meta?: JsonObject;
  } = {},
): Post {
  const name = params["name"] ?? params["uri"];
  const standard = {
    "mcp-protocol-version": "2026-07-28",
    "mcp-method": method,
    ...(typeof name === "string" ? { "mcp-name": name } : {}),
    ...more.headers,
  };
  const headers = Object.entries(standard).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, value]],
  );
  return {
    headers: Object.fromEntries(headers),
    body: {
      jsonrpc: "2.0",
      id: more.id ?? 1,
      method,
      params: { ...params, _meta: { ...envelope(), ...more.meta } },
    },
  };
}

export const rpc = (
  method: string,
  params: JsonObject = {},
  id: number | string = 1,
): JsonObject => ({
  jsonrpc: "2.0",
  id,
  method,
  params,
});

export const echo = (params: JsonObject = {}, id: number | string = 1): JsonObject =>
  rpc("tools/call", { name: "one__echo", arguments: {}, ...params }, id);

/** A promise with its ends. */
export function deferred<Value = void>(): {
  promise: Promise<Value>;
  resolve: (value: Value) => void;
} {
  let keep: ((value: Value) => void) | undefined;
  const promise = new Promise<Value>((resolve) => (keep = resolve));
  return { promise, resolve: (value) => keep?.(value) };
}
