import { AppError } from "../core/errors.ts";
import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import type { JsonObject } from "../core/json.ts";
import type { CallToolResult, ListKind } from "../core/mcp.ts";
import type { CallerContext } from "../gateway/gateway.ts";
import { toJsonRpcError } from "../gateway/json-rpc-error.ts";
import { callNamedTool } from "./call-named-tool.ts";
import { callDiscoverTool, listDiscoverTools } from "./discover-tools.ts";
import { pageOf } from "./list-pages.ts";
import { sharedList } from "./message-json.ts";
import { routed, stringParam } from "./served-request.ts";
import type { ServedRequest } from "./served-request.ts";

/** What is wrong with the params may be thrown at once, everything else rejects. @throws AppError, RpcFault */
export type MethodHandler = (request: ServedRequest) => Promise<JsonObject>;

/** The methods that both eras have. What is not in it is a method of one era, or none. */
export const gatewayMethods: ReadonlyMap<string, MethodHandler> = new Map<string, MethodHandler>([
  ["tools/list", listTools],
  ["prompts/list", (request) => list(request, "prompts")],
  ["resources/list", (request) => list(request, "resources")],
  ["resources/templates/list", (request) => list(request, "resourceTemplates")],
  ["tools/call", callTool],
  [
    "prompts/get",
    async (request) => {
      stringParam(request.params, "name");
      return request.gateway.getPrompt(request.caller, routed(request));
    },
  ],
  ["resources/read", readResource],
  ["completion/complete", (request) => request.gateway.complete(request.caller, routed(request))],
]);

async function list(
  { gateway, caller, params }: ServedRequest,
  kind: ListKind,
): Promise<JsonObject> {
  await gateway.started;
  const all = await gateway.list(caller, kind);
  const { entries, nextCursor } = pageOf<JsonObject>(kind, all, params["cursor"]);
  const result: JsonObject = { [kind]: sharedList(entries) };
  if (nextCursor !== undefined) result["nextCursor"] = nextCursor;
  return result;
}

async function listTools(request: ServedRequest): Promise<JsonObject> {
  return request.caller.mode === "discover" ? listDiscoverTools(request) : list(request, "tools");
}

function callTool(request: ServedRequest): Promise<CallToolResult> {
  const name = stringParam(request.params, "name");
  return request.caller.mode === "discover"
    ? callDiscoverTool(name, request)
    : callNamedTool(name, request, ["usage"]);
}

async function readResource(request: ServedRequest): Promise<JsonObject> {
  const uri = stringParam(request.params, "uri");
  try {
    return await request.gateway.readResource(request.caller, routed(request));
  } catch (error) {
    throw asResourceFault(error, uri, request.caller);
  }
}

/** A resource that is not there has a code of its own in the legacy era, and none in the modern one. */
export function asResourceFault(error: unknown, uri: string, { client }: CallerContext): unknown {
  if (error instanceof AppError && error.code === "not_found") {
    const code = client.era === "legacy" ? rpcCodes.resourceNotFound : rpcCodes.invalidParams;
    return new RpcFault({ code, message: toJsonRpcError(error).message, data: { uri } });
  }
  if (
    error instanceof RpcFault &&
    error.code === rpcCodes.resourceNotFound &&
    client.era === "modern"
  ) {
    const { message, data } = error;
    return new RpcFault({ code: rpcCodes.invalidParams, message, data });
  }
  return error;
}
