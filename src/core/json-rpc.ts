import { isJsonObject } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";

/** JSON-RPC 2.0 as MCP uses it: a request's id is never null, `params` and `result` are objects. */
export type RequestId = string | number;

export interface RpcRequest {
  jsonrpc: "2.0";
  id: RequestId;
  method: string;
  params?: JsonObject;
}

export interface RpcNotification {
  jsonrpc: "2.0";
  method: string;
  params?: JsonObject;
}

/** The `error` member of a response. */
export interface RpcError {
  code: number;
  message: string;
  data?: unknown;
}

export interface RpcResult {
  jsonrpc: "2.0";
  id: RequestId;
  result: JsonObject;
}

export interface RpcFailure {
  jsonrpc: "2.0";
  /** null where the request's could not be read (JSON-RPC 2.0 §5). */
  id: RequestId | null;
  error: RpcError;
}

export type RpcResponse = RpcResult | RpcFailure;
export type RpcMessage = RpcRequest | RpcNotification | RpcResponse;

/** Codes of JSON-RPC 2.0 §5.1 and of MCP (2026-07-28, "Error codes"). */
export const rpcCodes = {
  parseError: -32_700,
  invalidRequest: -32_600,
  methodNotFound: -32_601,
  invalidParams: -32_602,
  internalError: -32_603,
  /** Legacy era; the modern one says `invalidParams`. */
  resourceNotFound: -32_002,
  headerMismatch: -32_020,
  missingClientCapability: -32_021,
  unsupportedProtocolVersion: -32_022,
} as const;

/**
 * One message read from a JSON value, its members checked as far as this says, what is inside `params`,
 * `result` and `error.data` untouched; undefined for what is none (a batch is not one message).
 */
export function readMessage(value: Json | undefined): RpcMessage | undefined {
  if (!isJsonObject(value) || value["jsonrpc"] !== "2.0") return undefined;
  const { id, method, params, result, error } = value;
  if (method !== undefined) {
    if (typeof method !== "string" || (params !== undefined && !isJsonObject(params))) {
      return undefined;
    }
    const rest = params === undefined ? { method } : { method, params };
    if (id === undefined) return { jsonrpc: "2.0", ...rest };
    return isRequestId(id) ? { jsonrpc: "2.0", id, ...rest } : undefined;
  }
  if (isJsonObject(error)) {
    const { code, message, data } = error;
    if (typeof code !== "number" || (!isRequestId(id) && id !== null && id !== undefined)) {
      return undefined;
    }
    const text = typeof message === "string" ? message : "";
    return {
      jsonrpc: "2.0",
      id: id ?? null,
      error: data === undefined ? { code, message: text } : { code, message: text, data },
    };
  }
  return isRequestId(id) && isJsonObject(result) ? { jsonrpc: "2.0", id, result } : undefined;
}

export function isRequestId(id: unknown): id is RequestId {
  return typeof id === "string" || typeof id === "number";
}

export function isRequest(message: RpcMessage): message is RpcRequest {
  return "method" in message && "id" in message;
}

/** A peer's JSON-RPC error, to be handed on unchanged. */
export class RpcFault extends Error {
  override readonly name = "RpcFault";
  readonly code: number;
  readonly data: unknown;
  constructor({ code, message, data }: RpcError) {
    super(message);
    this.code = code;
    this.data = data;
  }
}
