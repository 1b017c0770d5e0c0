import { AppError } from "../core/errors.ts";
import { InsufficientScope } from "../core/insufficient-scope.ts";
import { isRequestId, rpcCodes } from "../core/json-rpc.ts";
import type {
  RequestId,
  RpcError,
  RpcFailure,
  RpcNotification,
  RpcRequest,
} from "../core/json-rpc.ts";
import type { JsonObject } from "../core/json.ts";
import { metaOf } from "../core/mcp.ts";
import type { ListKind } from "../core/mcp.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import { toJsonRpcError } from "../gateway/json-rpc-error.ts";
import { sendNews } from "./message-stream.ts";
import type { MessageStream } from "./message-stream.ts";

/** Why a request is aborted when its client took it back: it then gets no answer. */
export class ClientCancelled extends AppError {
  constructor() {
    super("unreachable", "The client cancelled the request");
  }
}

export function notification(method: string, params: JsonObject): RpcNotification {
  return Object.keys(params).length === 0
    ? { jsonrpc: "2.0", method }
    : { jsonrpc: "2.0", method, params };
}

export function failure(id: RequestId | null, error: RpcError): RpcFailure {
  return { jsonrpc: "2.0", id, error };
}

/**
 * Answers a request with what `work` returns or throws; with nothing when the client cancelled it.
 * Never rejects.
 */
export async function answer(
  request: RpcRequest,
  stream: MessageStream,
  signal: StopSignal,
  work: () => Promise<JsonObject> | JsonObject,
): Promise<void> {
  try {
    const result = await work();
    if (isCancelled(signal)) return;
    stream.send({ jsonrpc: "2.0", id: request.id, result });
  } catch (error) {
    if (isCancelled(signal)) return;
    const refusal = error instanceof InsufficientScope ? error : undefined;
    stream.send(failure(request.id, toJsonRpcError(error)), refusal);
  }
}

function isCancelled(signal: StopSignal): boolean {
  return signal.aborted && signal.reason instanceof ClientCancelled;
}

export function methodNotFound(method: string): RpcError {
  return { code: rpcCodes.methodNotFound, message: `Method not found: ${method.slice(0, 100)}` };
}

/** Tells progress under the request's own token; undefined when it asked for none. */
export function progressTo(
  request: RpcRequest,
  stream: MessageStream,
): ((params: JsonObject) => void) | undefined {
  const { progressToken } = metaOf(request.params);
  if (!isRequestId(progressToken)) return undefined;
  return (params) => {
    sendNews(stream, {
      jsonrpc: "2.0",
      method: "notifications/progress",
      params: { ...params, progressToken },
    });
  };
}

/** The notification by which clients hear that lists of these kinds changed. */
const changedMethods: Record<ListKind, string> = {
  tools: "notifications/tools/list_changed",
  prompts: "notifications/prompts/list_changed",
  resources: "notifications/resources/list_changed",
  resourceTemplates: "notifications/resources/list_changed",
};

export function changedNotifications(kinds: ReadonlySet<ListKind>): ReadonlySet<string> {
  return new Set([...kinds].map((kind) => changedMethods[kind]));
}
