import {
  Client,
  ProtocolError,
  SdkError,
  SdkErrorCode,
  SdkHttpError,
  StreamableHTTPClientTransport,
} from "@modelcontextprotocol/client";
import { AppError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { isTool } from "../core/mcp.ts";
import type { ProtocolEra, Tool } from "../core/mcp.ts";
import { oneLine } from "../core/terminal-text.ts";
import { version } from "../core/version.ts";
import { createLosslessRequests, nestedTooDeeply } from "../mcp-client/lossless-requests.ts";
import type { Answer, LosslessOptions, LosslessRequest } from "../mcp-client/lossless-requests.ts";
import { createRecordingFetch } from "./http-fetch.ts";
import type { RecordingFetch } from "./http-fetch.ts";
import { abortReason, createAgent, cutOff, shownAddress } from "./http-json.ts";
import { mcpEndpointsOf } from "./server-address.ts";
import type { AskPerson } from "./tool-server.ts";

// This file imports the MCP SDK statically, so import it dynamically: the REST way must not load it.

/** A server that pages for ever must end somewhere. */
const maxPages = 100;
/** The SDK's own limits never end a request of ours: the one deadline does. */
const noLimitMs = 2 ** 31 - 1;
/** How long taking leave may take, in milliseconds. */
const leaveMs = 1000;

export interface McpConnectionOptions {
  endpoint: string;
  bearer?: string | undefined;
  clientName: string;
  signal: AbortSignal;
  /** Answers `elicitation/create` in either era; the parameters are foreign. */
  onElicitation: AskPerson;
}

/** Under the caller's own deadline. */
type RequestOptions = Omit<LosslessOptions, "timeout" | "signal"> & { signal: AbortSignal };

export interface McpConnection {
  /** Where the MCP endpoint was found. */
  readonly endpoint: string;
  readonly serverInfo: { name: string; version: string };
  readonly instructions: string | undefined;
  readonly hasTools: boolean;
  readonly era: ProtocolEra;
  /** Every tool, every field kept. @throws AppError */
  listTools(signal: AbortSignal): Promise<Tool[]>;
  /** @throws AppError `tool_error` when the server answers with a JSON-RPC error, `unreachable`, … */
  request(
    method: "tools/call" | "tools/list",
    params: JsonObject,
    options: RequestOptions,
  ): Promise<JsonObject>;
  /** Takes leave of the server, for at most a second. */
  close(): Promise<void>;
}

/** One request's failure as an error of ours; whatever the fetch saw says more than the SDK's wrapping. */
function toFailure(
  error: unknown,
  url: string,
  seen: AppError | undefined,
  signal: AbortSignal,
): unknown {
  if (signal.aborted) return abortReason(signal);
  if (error instanceof AppError) return error;
  if (seen) return seen;
  const where = shownAddress(url);
  if (error instanceof ProtocolError) {
    return new AppError("tool_error", `${where} answered: ${oneLine(error.message, 1000)}`, {
      cause: error,
    });
  }
  if (error instanceof SdkHttpError) {
    return new AppError("unreachable", `${where} answered with HTTP ${error.status}`, {
      hint: "Check that the address is that of an MCP server: most end in /mcp",
      cause: error,
    });
  }
  if (error instanceof SdkError || error instanceof Error) {
    const closed = error instanceof SdkError && error.code === SdkErrorCode.ConnectionClosed;
    return new AppError(
      "unreachable",
      closed
        ? `${where} closed the connection before its answer`
        : `${where} does not answer as an MCP server: ${oneLine(error.message)}`,
      {
        hint: "Check that the address is that of an MCP server: most end in /mcp",
        cause: error,
      },
    );
  }
  return error;
}

/** What came in place of a result. */
function answerFailure(answer: Exclude<Answer, { kind: "result" }>, url: string): AppError {
  const where = shownAddress(url);
  switch (answer.kind) {
    case "error":
      return new AppError(
        "tool_error",
        `${where} answered: ${oneLine(answer.error.message, 1000)}`,
      );
    case "stream-ended":
      return cutOff(url);
    case "too-deep":
      return new AppError("unreachable", `${where}: ${nestedTooDeeply}`);
    case "not-an-answer":
      return new AppError("unreachable", `${where} did not answer as an MCP server`);
  }
}

/** Whether another address, or the plain old handshake, is worth a try after this. */
function statusOf(error: unknown, http: RecordingFetch): number | undefined {
  if (error instanceof SdkHttpError) return error.status;
  return http.failure?.code === "unreachable" ? http.failureStatus : undefined;
}

/**
 * Connects to an MCP server over Streamable HTTP, in whichever protocol era it speaks. The address is
 * tried as it was given and, where nothing is served there (404, 405), with `/mcp` below it. A server
 * that breaks down (5xx) on the question for the modern era is asked again in the old way.
 * @throws AppError `unreachable`, `timeout`, `auth_required` (401 without a bearer), `auth_rejected`
 *   (401 with one), `forbidden`, `rate_limited`
 */
export async function openMcpConnection(options: McpConnectionOptions): Promise<McpConnection> {
  const endpoints = mcpEndpointsOf(options.endpoint);
  for (const [index, endpoint] of endpoints.entries()) {
    const last = index === endpoints.length - 1;
    for (const mode of ["auto", "legacy"] as const) {
      const attempt = await tryConnect(endpoint, mode, options);
      if (attempt.kind === "connected") return attempt.connection;
      const brokeDown = mode === "auto" && (attempt.status ?? 0) >= 500;
      if (brokeDown) continue;
      if (!last && (attempt.status === 404 || attempt.status === 405)) break;
      throw attempt.error;
    }
  }
  throw new AppError("unreachable", `Cannot reach ${shownAddress(options.endpoint)}`);
}

type Attempt =
  | { kind: "connected"; connection: McpConnection }
  | { kind: "failed"; error: unknown; status: number | undefined };

async function tryConnect(
  endpoint: string,
  mode: "auto" | "legacy",
  options: McpConnectionOptions,
): Promise<Attempt> {
  const agent = createAgent(endpoint);
  const http = createRecordingFetch({ agent, bearer: options.bearer });
  const transport = new StreamableHTTPClientTransport(new URL(endpoint), { fetch: http.fetch });
  const client = new Client(
    { name: options.clientName, version },
    { capabilities: { elicitation: { form: {} } }, versionNegotiation: { mode } },
  );
  const send = createLosslessRequests(client, transport);
  client.setRequestHandler("elicitation/create", async (request) => {
    const params: unknown = request.params;
    return { ...(await options.onElicitation(isJsonObject(params) ? params : {})) };
  });
  try {
    // The SDK's question for the modern era listens to no signal.
    await unlessAborted(
      options.signal,
      client.connect(transport, { signal: options.signal, timeout: noLimitMs }),
    );
  } catch (error) {
    await client.close().catch(() => undefined);
    agent.destroy();
    return {
      kind: "failed",
      error: toFailure(error, endpoint, http.failure, options.signal),
      status: statusOf(error, http),
    };
  }
  return {
    kind: "connected",
    connection: connectionOn({ client, send, transport, http, endpoint, agent }),
  };
}

/** What comes first: the end of the work, or of the waiting for it. */
async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  if (signal.aborted) throw abortReason(signal);
  const over = new AbortController();
  const aborted = new Promise<never>((_resolve, reject) => {
    const stop = (): void => {
      reject(abortReason(signal));
    };
    signal.addEventListener("abort", stop, { once: true, signal: over.signal });
  });
  // Whichever comes second has nobody to tell.
  work.catch(() => undefined);
  try {
    return await Promise.race([work, aborted]);
  } finally {
    over.abort();
  }
}

interface Parts {
  client: Client;
  send: LosslessRequest;
  transport: StreamableHTTPClientTransport;
  http: RecordingFetch;
  endpoint: string;
  agent: ReturnType<typeof createAgent>;
}

function connectionOn({ client, send, transport, http, endpoint, agent }: Parts): McpConnection {
  const info = client.getServerVersion();
  const request: McpConnection["request"] = async (method, params, requestOptions) => {
    const { signal } = requestOptions;
    try {
      const answer = await send({ method, params }, { timeout: noLimitMs, ...requestOptions });
      if (answer.kind === "result") return answer.result;
      throw http.failure ?? answerFailure(answer, endpoint);
    } catch (error) {
      throw toFailure(error, endpoint, http.failure, signal);
    }
  };
  return {
    endpoint,
    serverInfo: { name: info?.name ?? "", version: info?.version ?? "" },
    instructions: client.getInstructions(),
    era: client.getProtocolEra() ?? "legacy",
    hasTools: client.getServerCapabilities()?.tools !== undefined,
    request,
    async listTools(signal) {
      const tools: Tool[] = [];
      let cursor: string | undefined;
      for (let page = 0; page < maxPages; page += 1) {
        const result = await request("tools/list", cursor === undefined ? {} : { cursor }, {
          signal,
        });
        const listed = Array.isArray(result["tools"]) ? result["tools"] : [];
        tools.push(...listed.filter((tool) => isTool(tool)));
        const next = result["nextCursor"];
        if (typeof next !== "string" || next === cursor) return tools;
        cursor = next;
      }
      throw new AppError("unreachable", `${shownAddress(endpoint)} lists tools without end`);
    },
    async close() {
      const limit = AbortSignal.timeout(leaveMs);
      const late = new Promise<void>((resolve) => {
        limit.addEventListener("abort", () => {
          resolve();
        });
      });
      // What was said last (a cancellation) is heard before the line goes dead.
      await Promise.race([http.idle().then(() => transport.terminateSession()), late]).catch(
        () => undefined,
      );
      await client.close().catch(() => undefined);
      agent.destroy();
    },
  };
}
