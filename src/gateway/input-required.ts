import { missingCapability } from "../core/asked-capability.ts";
import { AppError } from "../core/errors.ts";
import { rpcCodes, RpcFault } from "../core/json-rpc.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { quotedName } from "../core/terminal-text.ts";

/** What a server wants to know from the client before it answers (2026-07-28, `InputRequest`). */
export interface InputRequest {
  key: string;
  method: string;
  params: JsonObject;
}

/** A server asks no more than this at once. */
export const mostInputRequests = 20;

/**
 * What an `input_required` result asks for; nothing where it only wants to be asked again.
 * @throws AppError `tool_error` when nobody can tell what it asks for
 */
export function inputRequestsOf(result: JsonObject, server: string): InputRequest[] {
  const { inputRequests = {} } = result;
  const entries = isJsonObject(inputRequests) ? Object.entries(inputRequests) : undefined;
  if (entries === undefined || entries.length > mostInputRequests) {
    throw incomprehensible(server);
  }
  return entries.map(([key, request]) => {
    const { method, params = {} } = isJsonObject(request) ? request : {};
    if (typeof method !== "string" || !isJsonObject(params)) throw incomprehensible(server);
    return { key, method, params };
  });
}

/**
 * The error for a client that is asked for what it did not declare (2026-07-28,
 * `MissingRequiredClientCapabilityError`); undefined when it declared everything.
 */
export function undeclared(
  requests: readonly Pick<InputRequest, "method" | "params">[],
  capabilities: JsonObject,
): RpcFault | undefined {
  const missing = requests.flatMap(
    ({ method, params }) => missingCapability(method, params, capabilities) ?? [],
  );
  if (missing.length === 0) return undefined;
  const requiredCapabilities: JsonObject = Object.assign({}, ...missing);
  const names = Object.keys(requiredCapabilities).join(", ");
  return new RpcFault({
    code: rpcCodes.missingClientCapability,
    message: `The server needs a client with these capabilities: ${names}`,
    data: { requiredCapabilities },
  });
}

function incomprehensible(server: string): AppError {
  return new AppError(
    "tool_error",
    `Server ${quotedName(server)} asks for input in a way nobody understands`,
  );
}
