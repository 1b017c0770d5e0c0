import { RpcFault } from "../core/json-rpc.ts";
import type { RequestId, RpcMessage } from "../core/json-rpc.ts";
import { messageLimits } from "./message-limits.ts";
import { readMessages } from "./read-messages.ts";
import { isSameId } from "./same-id.ts";
import type { HttpStatusError } from "./transport.ts";

/** What these say is about us, not about the request, whatever their body is. */
const aboutTheCaller: ReadonlySet<number> = new Set([401, 403, 429]);

/**
 * The JSON-RPC error that an HTTP error carries as the answer to a request; its `cause` is the HTTP error.
 * Undefined when there is none, or when it speaks of the caller or of the session instead. While there is
 * no session, an error without our id is about the one message that the POST carried.
 */
export function rpcFaultOf(
  error: HttpStatusError,
  id: RequestId,
  hasSession: boolean,
): RpcFault | undefined {
  if (aboutTheCaller.has(error.status) || (hasSession && error.status === 404)) return undefined;
  const [message] = messagesIn(error.body);
  if (message === undefined || !("error" in message)) return undefined;
  if (hasSession && !isSameId(message.id, id)) return undefined;
  const fault = new RpcFault(message.error);
  fault.cause = error;
  return fault;
}

/** Whether an HTTP error says that the server does not know our session, and so did not look at the request. */
export function saysSessionForgotten({ status, body }: HttpStatusError): boolean {
  // 404 is what MCP asks for (2025-11-25, session management); some servers say 400.
  return status === 404 || (status === 400 && messagesIn(body).some((item) => "error" in item));
}

function messagesIn(body: string): RpcMessage[] {
  try {
    return readMessages(body, messageLimits);
  } catch {
    return [];
  }
}
