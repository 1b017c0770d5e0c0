import { AppError } from "../core/errors.ts";
import { RpcFault } from "../core/json-rpc.ts";
import { oneLine } from "../core/terminal-text.ts";
import { RequestFault } from "./request-fault.ts";

const longestMessage = 2_000;

/**
 * What a REST client is told of a failed call. A JSON-RPC error of the upstream server becomes
 * `tool_error` with its message, a faulty `requestState` is wrong input; everything else stays as it is.
 */
export function asRestFault(thrown: unknown): unknown {
  if (!(thrown instanceof RpcFault)) return thrown;
  const message = oneLine(thrown.message, longestMessage);
  const code = thrown instanceof RequestFault ? "usage" : "tool_error";
  return new AppError(code, message === "" ? `Error ${thrown.code}` : message, {
    cause: thrown,
  });
}
