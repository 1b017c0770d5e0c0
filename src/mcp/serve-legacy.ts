import { RpcFault } from "../core/json-rpc.ts";
import type { RpcRequest } from "../core/json-rpc.ts";
import type { JsonObject } from "../core/json.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import type { CallerContext, Gateway } from "../gateway/gateway.ts";
import { gatewayMethods } from "./gateway-methods.ts";
import type { MessageStream } from "./message-stream.ts";
import { methodNotFound, progressTo } from "./rpc-messages.ts";

/**
 * What a client of the legacy era can ask with and without a session.
 * @throws RpcFault -32601 for a method that is none of them; AppError, RpcFault of the gateway
 */
export function serveLegacy(
  request: RpcRequest,
  context: {
    gateway: Gateway;
    caller: CallerContext;
    stream: MessageStream;
    signal: StopSignal;
  },
): Promise<JsonObject> {
  const { gateway, caller, stream, signal } = context;
  if (request.method === "ping") return Promise.resolve({});
  const handle = gatewayMethods.get(request.method);
  if (handle === undefined) return Promise.reject(new RpcFault(methodNotFound(request.method)));
  return handle({
    gateway,
    caller,
    params: withoutTask(request.params ?? {}),
    signal,
    onProgress: progressTo(request, stream),
  });
}

/** Who does not announce tasks works on a request as if it asked for none (2025-11-25, "Tasks: Capability Negotiation"). */
function withoutTask(params: JsonObject): JsonObject {
  if (params["task"] === undefined) return params;
  const { task: _task, ...rest } = params;
  return rest;
}
