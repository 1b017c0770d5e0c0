import { AppError } from "../core/errors.ts";
import { oneLine } from "../core/terminal-text.ts";
import { UpstreamRpcError } from "../upstream/upstream.ts";

const longestMessage = 2_000;

/**
 * What a REST client is told of a failed call. A JSON-RPC error of the upstream server becomes
 * `tool_error` with its message; everything else stays as it is.
 */
export function asRestFault(thrown: unknown): unknown {
  if (!(thrown instanceof UpstreamRpcError)) return thrown;
  const message = oneLine(thrown.message, longestMessage);
  return new AppError("tool_error", message === "" ? `Error ${thrown.code}` : message, {
    cause: thrown,
  });
}
