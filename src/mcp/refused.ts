import { isRequestId, rpcCodes } from "../core/json-rpc.ts";
import type { RequestId, RpcError } from "../core/json-rpc.ts";
import { isJsonObject } from "../core/json.ts";

/** A POST that is answered with an HTTP status of its own and a JSON-RPC error, before anything is done. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;
  readonly error: RpcError;
  /** Of the request, where it could be read. */
  readonly id: RequestId | null;
  readonly headers: Readonly<Record<string, string>>;
  constructor(
    status: number,
    error: RpcError,
    id: RequestId | null = null,
    headers: Readonly<Record<string, string>> = {},
  ) {
    super(error.message);
    this.status = status;
    this.error = error;
    this.id = id;
    this.headers = headers;
  }
}

/** The request's own id as far as it can be read of what is no message. */
export function readableId(body: unknown): RequestId | null {
  if (!isJsonObject(body) || typeof body["method"] !== "string") return null;
  return isRequestId(body["id"]) ? body["id"] : null;
}

export function invalidRequest(message: string, id: RequestId | null = null): Refused {
  return new Refused(400, { code: rpcCodes.invalidRequest, message }, id);
}

/** What stands in the headers and what in the body are two things (2026-07-28, "Streamable HTTP"). */
export function headerMismatch(id: RequestId | null, header: string, message: string): Refused {
  return new Refused(400, { code: rpcCodes.headerMismatch, message, data: { header } }, id);
}

/** RFC 9110 §15.5.6. */
export function notAllowed(message: string): Refused {
  const error = { code: rpcCodes.invalidRequest, message };
  return new Refused(405, error, null, { allow: "POST, GET, DELETE" });
}
