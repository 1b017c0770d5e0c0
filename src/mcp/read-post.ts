import type { IncomingHttpHeaders } from "node:http";
import { isRequest, readMessage, rpcCodes } from "../core/json-rpc.ts";
import type { RpcMessage, RpcNotification, RpcRequest } from "../core/json-rpc.ts";
import type { Json } from "../core/json.ts";
import { legacyVersions, modernVersions } from "../core/mcp.ts";
import { toJsonRpcError } from "../gateway/json-rpc-error.ts";
import { headerOf, versionHeader } from "./check-headers.ts";
import { eraOf } from "./classify.ts";
import { claimsModernEra } from "./modern-envelope.ts";
import { readJson } from "./read-json.ts";
import { invalidRequest, readableId, Refused } from "./refused.ts";

/** What was posted, its era known. */
export type Post =
  | { era: "modern"; message: RpcRequest | RpcNotification }
  | { era: "legacy"; batch: false; message: RpcMessage }
  | { era: "legacy"; batch: true; messages: readonly RpcMessage[] };

/** Messages in one batch. */
export const longestBatch = 100;
/** The revisions that have batches: they came with the one and went with the next. */
const batchVersions: ReadonlySet<string> = new Set(
  legacyVersions.slice(legacyVersions.indexOf("2025-03-26")),
);

/** @throws Refused */
export function readPost(exchange: {
  headers: IncomingHttpHeaders;
  body: string | undefined;
}): Post {
  const { headers, body = "" } = exchange;
  checkAccept(headers.accept);
  const value = parse(body);
  if (Array.isArray(value))
    return { era: "legacy", batch: true, messages: readBatch(value, headers) };
  const message = readMessage(value);
  if (message === undefined) {
    throw invalidRequest("The body is not a JSON-RPC message", readableId(value));
  }
  const era = eraOf(message, headers);
  if (era === "modern" && "method" in message) return { era, message };
  return { era: "legacy", batch: false, message };
}

function parse(body: string): Json {
  try {
    return readJson(body);
  } catch (error) {
    throw new Refused(400, toJsonRpcError(error));
  }
}

/** The answer is the one or the other, as it turns out (2025-11-25, "Sending Messages to the Server"). */
function checkAccept(accept = "*/*"): void {
  // As the specification writes it, and most clients.
  if (accept === "application/json, text/event-stream") return;
  if (accepts(accept, "application/json") && accepts(accept, "text/event-stream")) return;
  throw notAcceptable("Accept must name application/json and text/event-stream");
}

export function notAcceptable(message: string): Refused {
  return new Refused(406, { code: rpcCodes.invalidRequest, message });
}

/** Whether an Accept header takes this type (RFC 9110 §12.5.1); weights are not looked at. */
export function accepts(accept: string, type: string): boolean {
  const [main = ""] = type.split("/");
  return accept.split(",").some((range) => {
    const [name = ""] = range.split(";");
    const wanted = name.trim().toLowerCase();
    return wanted === type || wanted === `${main}/*` || wanted === "*/*";
  });
}

/** @throws Refused */
function readBatch(values: readonly Json[], headers: IncomingHttpHeaders): RpcMessage[] {
  const version = headerOf(headers, versionHeader);
  if (version !== undefined && !batchVersions.has(version) && isSpoken(version)) {
    throw invalidRequest("This revision has no batches");
  }
  if (values.length === 0) throw invalidRequest("The batch is empty");
  if (values.length > longestBatch) {
    throw invalidRequest(`A batch holds ${longestBatch} messages at most`);
  }
  return values.map((value) => {
    const message = readMessage(value);
    if (message === undefined)
      throw invalidRequest("The batch holds what is not a JSON-RPC message");
    if ("method" in message && claimsModernEra(message.params)) {
      throw invalidRequest("2026-07-28 has no batches");
    }
    if (isRequest(message) && message.method === "initialize") {
      throw invalidRequest("initialize stands alone");
    }
    return message;
  });
}

function isSpoken(version: string): boolean {
  return modernVersions.includes(version) || legacyVersions.includes(version);
}

/** Whether a session of this revision takes batches. */
export function hasBatches(version: string): boolean {
  return batchVersions.has(version);
}
