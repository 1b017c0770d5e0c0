import { toAppError, type ErrorCode } from "../core/errors.ts";
import { rpcCodes, RpcFault } from "../core/json-rpc.ts";
import type { RpcError } from "../core/json-rpc.ts";

/**
 * JSON-RPC codes for our own: the standard's where it has one, else from -32000…-32019, which MCP leaves
 * to implementations (2026-07-28, "Error codes"). The closed code stands in `data.code` as well.
 */
const jsonRpcCodes: Record<ErrorCode, number> = {
  usage: rpcCodes.invalidParams,
  not_found: rpcCodes.invalidParams,
  config_invalid: rpcCodes.internalError,
  store_unavailable: rpcCodes.internalError,
  internal: rpcCodes.internalError,
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
export function toJsonRpcError(thrown: unknown): RpcError {
  if (thrown instanceof RpcFault) {
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
