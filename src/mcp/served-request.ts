import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import type { JsonObject } from "../core/json.ts";
import { forwardedParams } from "../core/mcp.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import type { CallerContext, Gateway, RoutedRequest } from "../gateway/gateway.ts";

/** One request of a client of either era, on its way into the gateway. */
export interface ServedRequest {
  gateway: Gateway;
  caller: CallerContext;
  /** As the client sent them. */
  params: JsonObject;
  signal: StopSignal;
  onProgress: ((params: JsonObject) => void) | undefined;
}

export function routed({ params, signal, onProgress }: ServedRequest): RoutedRequest {
  return { params: forwardedParams(params), signal, onProgress };
}

/** @throws RpcFault -32602 */
export function stringParam(params: JsonObject, key: string): string {
  const value = params[key];
  if (typeof value === "string") return value;
  throw new RpcFault({
    code: rpcCodes.invalidParams,
    message: `params.${key} must be a string`,
  });
}
