import { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import { isTool, progressOf } from "../core/mcp.ts";
import type { Progress, ProtocolEra, Tool } from "../core/mcp.ts";
import { headerDeclarationFault } from "../core/parameter-headers.ts";
import { timeLimit } from "../core/time-limit.ts";
import { version } from "../core/version.ts";
import { OpenFault } from "../mcp-client/mcp-connection.ts";
import type { McpConnection as Connection, RequestListener } from "../mcp-client/mcp-connection.ts";
import { messageLimits } from "../mcp-client/message-limits.ts";
import { openMcpConnection as openConnection } from "../mcp-client/open-mcp-connection.ts";
import { createSseTransport } from "../mcp-client/sse-transport.ts";
import { createStreamableHttpTransport } from "../mcp-client/streamable-http-transport.ts";
import type { Transport } from "../mcp-client/transport.ts";
import { bearerHeader } from "./bearer-header.ts";
import { createConnections } from "./direct-http.ts";
import { maxAnswerBytes, shownAddress } from "./http-json.ts";
import { httpStatusOf, mcpFailure } from "./mcp-failure.ts";
import { createSendHttp } from "./send-http.ts";
import { mcpEndpointsOf } from "./server-address.ts";
import type { AskPerson } from "./tool-server.ts";

// This file loads what speaks MCP, so import it dynamically: the REST way does without.

/** A server that pages for ever must end somewhere. */
const maxPages = 100;
/** The one deadline of the command ends the question for the modern era, no limit of its own. */
const noLimitMs = 2 ** 31 - 1;
/** How long a server of the oldest transport may take to name its address, in milliseconds. */
const sseOpeningMs = 5000;

export interface McpConnectionOptions {
  endpoint: string;
  bearer?: string | undefined;
  clientName: string;
  signal: AbortSignal;
  /** Answers `elicitation/create` in either era; the parameters are foreign. */
  onElicitation: AskPerson;
}

export interface McpRequestOptions {
  /** The caller's own deadline; aborting it cancels the request at the server. */
  signal: AbortSignal;
  /** HTTP headers of this request alone. */
  headers?: Readonly<Record<string, string>> | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Answers what is asked on this request's own stream, in place of the connection's. */
  onElicitation?: AskPerson | undefined;
}

export interface McpConnection {
  /** Where the MCP endpoint was found. */
  readonly endpoint: string;
  readonly serverInfo: { name: string; version: string };
  readonly instructions: string | undefined;
  readonly hasTools: boolean;
  readonly era: ProtocolEra;
  /**
   * Every tool, every field kept; without those that a client of the modern era has to leave alone
   * (2026-07-28, `x-mcp-header`). @throws AppError
   */
  listTools(signal: AbortSignal): Promise<Tool[]>;
  /** @throws AppError `tool_error` when the server answers with a JSON-RPC error, `unreachable`, … */
  request(method: string, params: JsonObject, options: McpRequestOptions): Promise<JsonObject>;
  /** Takes leave of the server, for at most a second. */
  close(): Promise<void>;
}

type Way = "streamable" | "streamable-legacy" | "sse";

/**
 * Connects to an MCP server over HTTP, in whichever protocol era it speaks. The address is tried as it was
 * given and, where nothing is served there (404, 405), with `/mcp` below it. A server that breaks down
 * (5xx) on the question for the modern era is asked again in the old way, and one that refuses `initialize`
 * (4xx) is tried over the oldest transport, HTTP+SSE (MCP 2025-11-25, backwards compatibility).
 * @throws AppError `unreachable`, `timeout`, `auth_required` (401 without a bearer), `auth_rejected`
 *   (401 with one), `forbidden`, `rate_limited`
 */
export async function openMcpConnection(options: McpConnectionOptions): Promise<McpConnection> {
  let refused: unknown;
  for (const endpoint of mcpEndpointsOf(options.endpoint)) {
    let attempt = await tryConnect(endpoint, "streamable", options);
    if ((attempt.status ?? 0) >= 500 && attempt.inProbe) {
      attempt = await tryConnect(endpoint, "streamable-legacy", options);
    }
    if (attempt.connection !== undefined) return attempt.connection;
    const { status = 0, error } = attempt;
    if (attempt.inProbe || status < 400 || status >= 500 || isAboutUs(status)) throw error;
    const old = await tryConnect(endpoint, "sse", options);
    if (old.connection !== undefined) return old.connection;
    if (status !== 404 && status !== 405) throw error;
    refused = error;
  }
  throw refused;
}

/** What these say is about the caller; there is no use in asking in another way. */
function isAboutUs(status: number): boolean {
  return status === 401 || status === 403 || status === 429;
}

interface Attempt {
  connection?: McpConnection;
  error?: unknown;
  /** HTTP status that it failed with. */
  status?: number | undefined;
  inProbe?: boolean;
}

async function tryConnect(
  endpoint: string,
  way: Way,
  options: McpConnectionOptions,
): Promise<Attempt> {
  const connections = createConnections(endpoint);
  const headers = bearerHeader(options.bearer);
  const server = {
    url: endpoint,
    headers,
    sendHttp: createSendHttp(connections),
    messageLimits: { ...messageLimits, bytes: maxAnswerBytes },
  };
  const transport: Transport =
    way === "sse" ? createSseTransport(server) : createStreamableHttpTransport(server);
  const signal = way === "sse" ? timeLimit(sseOpeningMs, options.signal) : options.signal;
  try {
    const connection = await openConnection({
      transport,
      clientInfo: { name: options.clientName, version },
      capabilities: { elicitation: { form: {} } },
      mode: way === "streamable" ? "auto" : "legacy",
      probeMs: noLimitMs,
      signal,
      onNotification: () => undefined,
      onRequest: answerBy(options.onElicitation),
    });
    const bearer = options.bearer !== undefined;
    const close = async (): Promise<void> => {
      await connection.close();
      connections.destroy();
    };
    return { connection: connectionOn(connection, { endpoint, bearer, close }) };
  } catch (error) {
    connections.destroy();
    const asked = {
      url: endpoint,
      bearer: options.bearer !== undefined,
      signal: options.signal,
    };
    return {
      error: mcpFailure(error, asked),
      status: options.signal.aborted ? undefined : httpStatusOf(error),
      inProbe: error instanceof OpenFault && error.inProbe,
    };
  }
}

function connectionOn(
  connection: Connection,
  { endpoint, bearer, close }: { endpoint: string; bearer: boolean; close: () => Promise<void> },
): McpConnection {
  const { era, serverInfo } = connection;
  const request: McpConnection["request"] = async (method, params, options) => {
    const { onProgress } = options;
    const hear = (told: JsonObject): void => {
      const progress = progressOf(told);
      if (progress !== undefined) onProgress?.(progress);
    };
    try {
      return await connection.request(method, params, {
        signal: options.signal,
        headers: options.headers,
        ...(onProgress !== undefined && { onProgress: hear }),
        ...(options.onElicitation && { onRequest: answerBy(options.onElicitation) }),
      });
    } catch (error) {
      throw mcpFailure(error, { url: endpoint, bearer, signal: options.signal });
    }
  };
  return {
    endpoint,
    serverInfo: { name: textOf(serverInfo["name"]), version: textOf(serverInfo["version"]) },
    instructions: connection.instructions,
    era,
    hasTools: connection.capabilities["tools"] !== undefined,
    request,
    async listTools(signal) {
      const tools: Tool[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < maxPages; page += 1) {
        const params: JsonObject = cursor === undefined ? {} : { cursor };
        const result = await request("tools/list", params, { signal });
        const listed = Array.isArray(result["tools"]) ? result["tools"] : [];
        for (const tool of listed) {
          if (!isTool(tool)) continue;
          if (era === "legacy" || headerDeclarationFault(tool.inputSchema) === undefined) {
            tools.push(tool);
          }
        }
        const next = result["nextCursor"];
        if (typeof next !== "string" || next === cursor) return tools;
        cursor = next;
      }
      throw new AppError("unreachable", `${shownAddress(endpoint)} lists tools without end`);
    },
    close,
  };
}

/** Of what a server may ask, only elicitation was declared. */
function answerBy(ask: AskPerson): RequestListener {
  return async (method, params) => {
    if (method === "elicitation/create") return { ...(await ask(params)) };
    throw new RpcFault({ code: rpcCodes.methodNotFound, message: "Method not found" });
  };
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
