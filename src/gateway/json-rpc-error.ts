import { toAppError, type ErrorCode } from "../core/errors.ts";
import { UpstreamRpcError } from "../upstream/upstream.ts";

/** The `error` member of a JSON-RPC 2.0 response. */
export interface JsonRpcError {
  code: number;
  message: string;
  data?: unknown;
}

/**
 * JSON-RPC codes for our own: the standard's where it has one, else from -32000…-32019, which MCP leaves
 * to implementations (2026-07-28, "Error codes"). The closed code stands in `data.code` as well.
 */
const jsonRpcCodes: Record<ErrorCode, number> = {
  usage: -32602,
  not_found: -32602,
  config_invalid: -32603,
  store_unavailable: -32603,
  internal: -32603,
  timeout: -32001,
  tool_error: -32003,
  unreachable: -32004,
  upstream_unavailable: -32004,
  auth_required: -32005,
  auth_rejected: -32005,
  forbidden: -32006,
  rate_limited: -32007,
};

/** What an MCP client is told: an upstream's own JSON-RPC error unchanged, ours with its hint. */
export function toJsonRpcError(thrown: unknown): JsonRpcError {
  if (thrown instanceof UpstreamRpcError) {
    const { code, message, data } = thrown;
    return data === undefined ? { code, message } : { code, message, data };
  }
  const error = toAppError(thrown);
  return {
    code: jsonRpcCodes[error.code],
    // Clients show the message and little else, so the hint goes with it.
    message: error.hint === undefined ? error.message : `${error.message} (${error.hint})`,
    data: error.toBody().error,
  };
}
