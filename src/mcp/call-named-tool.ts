import { AppError } from "../core/errors.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { CallToolResult } from "../core/mcp.ts";
import { routed } from "./served-request.ts";
import type { ServedRequest } from "./served-request.ts";

/**
 * Calls the tool of this exposed name, with the arguments in `params`.
 * @param told failures that the model can mend, so that it must get to see them: they are a result with `isError`
 * @throws AppError, RpcFault
 */
export async function callNamedTool(
  name: string,
  request: ServedRequest,
  told: readonly ErrorCode[],
): Promise<CallToolResult> {
  try {
    const { params, signal, onProgress } = routed(request);
    const call = { params, signal, onProgress, address: { exposedName: name } };
    return await request.gateway.callTool(request.caller, call);
  } catch (error) {
    return asResult(error, told);
  }
}

/**
 * What a model is told of its own mistake (2025-11-25 and later, "Tool Execution Errors: input validation errors").
 * @throws what is none of those
 */
export function asResult(error: unknown, told: readonly ErrorCode[]): CallToolResult {
  if (!(error instanceof AppError) || !told.includes(error.code)) throw error;
  const text = error.hint === undefined ? error.message : `${error.message} (${error.hint})`;
  return { content: [{ type: "text", text }], isError: true };
}
