import {
  ProtocolError,
  type JSONRPCRequest,
  type ServerContext,
} from "@modelcontextprotocol/server";
import { AppError } from "../core/errors.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { CallToolResult, Progress } from "../core/mcp.ts";
import type { CallerContext, Gateway } from "../gateway/gateway.ts";
import { toJsonRpcError } from "../gateway/json-rpc-error.ts";
import { forwardedParams, metaOf, paramsOf, requestIn } from "./mcp-message.ts";
import type { McpSession } from "./mcp-sessions.ts";

/** Who sent a request, and the whole message as it came. */
export interface ToolRequestContext {
  gateway: Gateway;
  caller: CallerContext;
  session: McpSession | undefined;
  /** The HTTP body: one message, or a legacy batch. */
  body: Json | undefined;
  /** Whether the client reads as fast as it is written to. */
  keepsUp: () => boolean;
}

type ToolRequestHandler = (
  request: JSONRPCRequest,
  sdk: ServerContext,
  context: ToolRequestContext,
) => Promise<JsonObject>;

/**
 * The MCP methods the gateway answers itself; initialize, ping and server/discover are the SDK's. What is
 * not in it must not get as far as a handler: the SDK then answers -32601, in the modern era as HTTP 404.
 */
export const toolRequestHandlers: ReadonlyMap<string, ToolRequestHandler> = new Map([
  ["tools/list", listTools],
  ["tools/call", callTool],
]);

/** All tools on one page; the SDK adds `ttlMs` and `cacheScope` where the era has them. */
async function listTools(
  _request: JSONRPCRequest,
  _sdk: ServerContext,
  { gateway, caller }: ToolRequestContext,
): Promise<JsonObject> {
  await gateway.started;
  return { tools: [...gateway.listTools(caller)] };
}

async function callTool(
  request: JSONRPCRequest,
  sdk: ServerContext,
  { gateway, caller, session, body, keepsUp }: ToolRequestContext,
): Promise<CallToolResult> {
  const { name, params, progressToken } = readCall(request.id, body);
  const progress = createProgressQueue(sdk, progressToken, keepsUp);
  const cancellation = trackCall(request.id, sdk.mcpReq.signal, session);
  try {
    return await gateway.callTool(caller, {
      address: { exposedName: name },
      params,
      signal: cancellation.signal,
      onProgress: progress?.push,
    });
  } catch (error) {
    // Wrong arguments are the model's to mend, so it must get to see them: a result with `isError`
    // (2025-11-25 and later, "Tool Execution Errors: input validation errors").
    if (error instanceof AppError && error.code === "usage") return argumentFault(error);
    const { code, message, data } = toJsonRpcError(error);
    throw new ProtocolError(code, message, data);
  } finally {
    cancellation.end();
    // What was reported during the call must not arrive after its result.
    await progress?.drained();
  }
}

interface ToolCallParams {
  name: string;
  /** What goes on to the upstream server, in full. */
  params: JsonObject;
  progressToken: string | number | undefined;
}

/**
 * Reads the call from the message itself: what the SDK hands over lacks `inputResponses` and
 * `requestState`, which the upstream server needs.
 */
function readCall(id: string | number, body: Json | undefined): ToolCallParams {
  const whole = paramsOf(requestIn(body, id));
  const { name, ...params } = forwardedParams(whole);
  if (typeof name !== "string") throw new ProtocolError(-32602, "params.name must be a string");
  const { progressToken } = metaOf(whole);
  const asked = typeof progressToken === "string" || typeof progressToken === "number";
  return { name, params, progressToken: asked ? progressToken : undefined };
}

/** Sends progress notifications one after the other; undefined when the client asked for none. */
function createProgressQueue(
  sdk: ServerContext,
  progressToken: string | number | undefined,
  keepsUp: () => boolean,
): { push: (progress: Progress) => void; drained: () => Promise<void> } | undefined {
  if (progressToken === undefined) return undefined;
  let last = Promise.resolve();
  return {
    push: (progress) => {
      // For a client that does not read, nothing piles up: news is no use when it is old.
      if (!keepsUp()) return;
      last = last
        .then(() =>
          sdk.mcpReq.notify({
            method: "notifications/progress",
            params: { ...progress, progressToken },
          }),
        )
        // The client has gone; its stream's end cancels the call.
        .catch(() => undefined);
    },
    drained: () => last,
  };
}

/** The call ends with its stream, or by `notifications/cancelled` in its session. */
function trackCall(
  id: string | number,
  stream: AbortSignal,
  session: McpSession | undefined,
): { signal: AbortSignal; end: () => void } {
  if (session === undefined) return { signal: stream, end: () => undefined };
  const cancellation = new AbortController();
  session.calls.set(id, cancellation);
  return {
    signal: AbortSignal.any([stream, cancellation.signal]),
    end: () => {
      if (session.calls.get(id) === cancellation) session.calls.delete(id);
    },
  };
}

function argumentFault(error: AppError): CallToolResult {
  const text = error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
  return { content: [{ type: "text", text }], isError: true };
}

/** Cancels a call of the session, as the client's `notifications/cancelled` asks. */
export function cancelCall(session: McpSession, notification: Json | undefined): void {
  const id = paramsOf(notification)["requestId"];
  if (typeof id === "string" || typeof id === "number") session.calls.get(id)?.abort();
}
