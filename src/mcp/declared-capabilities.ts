import { rpcCodes } from "../core/json-rpc.ts";
import type { RpcError } from "../core/json-rpc.ts";
import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";

/** Far more than clients declare. What one declares is kept with its session, and servers are known by it. */
const mostCharacters = 16 * 1024;

/** What a client declared, without `tasks`, which the gateway does not carry. */
export function carriedCapabilities(declared: unknown): JsonObject {
  if (!isJsonObject(declared)) return {};
  const { tasks: _tasks, ...carried } = declared;
  return carried;
}

export function isOversized(declared: unknown): boolean {
  return isJsonObject(declared) && JSON.stringify(declared).length > mostCharacters;
}

/** Why a session does not begin with these params of `initialize`. */
export function initializeFault({ capabilities }: JsonObject): RpcError | undefined {
  if (!isOversized(capabilities)) return undefined;
  const message = `params.capabilities must be no longer than ${mostCharacters} characters`;
  return { code: rpcCodes.invalidParams, message };
}
