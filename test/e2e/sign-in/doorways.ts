import { request } from "node:http";

/** What comes of a request, as a test compares it: `401 invalid_token`, `403 insufficient_scope`, `200`. */
export type Outcome = string;

/** How a request shows who sends it. */
export interface Shown {
  /** `Authorization` headers, each as it is sent. */
  authorization: readonly string[];
  /** `?token=`, `arguments.auth_token`. */
  token?: string | undefined;
}

const modernVersion = "2026-07-28";
const clientInfo = { name: "sign-in-table", version: "1.0.0" };
const json = { "content-type": "application/json" };
const mcpAccept = { accept: "application/json, text/event-stream" };

/** Every kind of endpoint, and each era of MCP. A tool call is one of a tool that writes. */
const doorways: Readonly<
  Record<
    string,
    (shown: Shown) => {
      method: "GET" | "POST";
      path: string;
      headers?: Record<string, string>;
      body?: object;
      /** The header is left out: the token stands elsewhere. */
      tokenElsewhere?: true;
    }
  >
> = {
  "GET /auth/status": () => ({ method: "GET", path: "/auth/status" }),
  "GET /api/v1/inspect": () => ({ method: "GET", path: "/api/v1/inspect" }),
  "GET /api/v1/instructions": () => ({ method: "GET", path: "/api/v1/instructions" }),
  "POST /api/v1/tools/call": () => ({
    method: "POST",
    path: "/api/v1/tools/call",
    headers: json,
    body: { server: "open", tool: "write", arguments: { text: "hi" } },
  }),
  "POST /api/mcp/tools/call": () => ({
    method: "POST",
    path: "/api/mcp/tools/call",
    headers: json,
    body: { tool: "open__write", arguments: { text: "hi" } },
  }),
  "POST /api/mcp/tools/call auth_token": ({ token }) => ({
    method: "POST",
    path: "/api/mcp/tools/call",
    headers: json,
    body: {
      tool: "open__write",
      arguments: { text: "hi", ...(token !== undefined && { auth_token: token }) },
    },
    tokenElsewhere: true,
  }),
  "legacy MCP initialize": () => ({
    method: "POST",
    path: "/mcp",
    headers: { ...json, ...mcpAccept },
    body: {
      jsonrpc: "2.0",
      id: 1,
      method: "initialize",
      params: { protocolVersion: "2025-11-25", capabilities: {}, clientInfo },
    },
  }),
  "modern MCP tools/call": () => ({
    method: "POST",
    path: "/mcp",
    headers: {
      ...json,
      ...mcpAccept,
      "mcp-protocol-version": modernVersion,
      "mcp-method": "tools/call",
      "mcp-name": "open__write",
    },
    body: {
      jsonrpc: "2.0",
      id: 1,
      method: "tools/call",
      params: {
        name: "open__write",
        arguments: { text: "hi" },
        _meta: {
          "io.modelcontextprotocol/protocolVersion": modernVersion,
          "io.modelcontextprotocol/clientInfo": clientInfo,
          "io.modelcontextprotocol/clientCapabilities": {},
        },
      },
    },
  }),
  "GET /sse": () => ({ method: "GET", path: "/sse", headers: { accept: "text/event-stream" } }),
  "GET /sse?token=": ({ token }) => ({
    method: "GET",
    path: token === undefined ? "/sse" : `/sse?token=${encodeURIComponent(token)}`,
    headers: { accept: "text/event-stream" },
    tokenElsewhere: true,
  }),
  "GET /servers": () => ({ method: "GET", path: "/servers" }),
  "GET /api/v1/audit": () => ({ method: "GET", path: "/api/v1/audit" }),
  "GET /metrics": () => ({ method: "GET", path: "/metrics" }),
  "GET /nowhere": () => ({ method: "GET", path: "/nowhere" }),
};

export const doorwayNames = Object.keys(doorways);

/** Sends one request through a doorway and reads no more than the answer's head (a stream would not end). */
export function tryDoorway(url: string, name: string, shown: Shown): Promise<Outcome> {
  const made = doorways[name]?.(shown);
  if (made === undefined) throw new Error(`There is no doorway ${name}`);
  const { method, path, headers = {}, body, tokenElsewhere = false } = made;
  const authorization = tokenElsewhere ? [] : shown.authorization;
  const raw = [
    ...Object.entries({ host: new URL(url).host, ...headers }).flat(),
    ...authorization.flatMap((value) => ["authorization", value]),
  ];
  return new Promise((resolve, reject) => {
    const sent = request(`${url}${path}`, { method, headers: raw }, (answer) => {
      resolve(outcomeOf(answer.statusCode ?? 0, answer.headers["www-authenticate"]));
      answer.destroy();
    });
    sent.once("error", reject);
    if (body === undefined) sent.end();
    else sent.end(JSON.stringify(body));
  });
}

/** RFC 6750 §3: a challenge, with an error where something was shown; a status that needs none has none. */
function outcomeOf(status: number, challenge: string | undefined): Outcome {
  if (challenge === undefined) return String(status);
  const [, error = "no error"] = /^Bearer .*\berror="([a-z_]+)"/u.exec(challenge) ?? [];
  return challenge.startsWith("Bearer ") ? `${status} ${error}` : `${status} ${challenge}`;
}
