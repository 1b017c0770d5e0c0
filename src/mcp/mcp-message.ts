import {
  CLIENT_CAPABILITIES_META_KEY,
  CLIENT_INFO_META_KEY,
  LOG_LEVEL_META_KEY,
  PROTOCOL_VERSION_META_KEY,
} from "@modelcontextprotocol/server";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";

/** The method of a single JSON-RPC message; undefined for a batch, a response or anything else. */
export function methodOf(message: Json | undefined): string | undefined {
  const method = isJsonObject(message) ? message["method"] : undefined;
  return typeof method === "string" ? method : undefined;
}

/** The request with this id in a body that holds one message or a batch (2025-03-26). */
export function requestIn(body: Json | undefined, id: string | number): JsonObject | undefined {
  const messages = Array.isArray(body) ? body : [body];
  return messages.filter(isJsonObject).find((message) => message["id"] === id);
}

export function paramsOf(message: Json | undefined): JsonObject {
  const params = isJsonObject(message) ? message["params"] : undefined;
  return isJsonObject(params) ? params : {};
}

/** Whether the message claims the modern era by the envelope in its `_meta` (2026-07-28). */
export function isModern(message: Json | undefined): boolean {
  return Object.hasOwn(metaOf(paramsOf(message)), PROTOCOL_VERSION_META_KEY);
}

/** How the client calls itself: in the `_meta` of a modern request, in the params of `initialize`. */
export function clientNameOf(message: Json | undefined): string | undefined {
  const params = paramsOf(message);
  const info = metaOf(params)[CLIENT_INFO_META_KEY] ?? params["clientInfo"];
  const name = isJsonObject(info) ? info["name"] : undefined;
  return typeof name === "string" ? name : undefined;
}

export function metaOf(params: JsonObject): JsonObject {
  const meta = params["_meta"];
  return isJsonObject(meta) ? meta : {};
}

/** What stands in `_meta` for one hop only: who speaks to whom, in which version, and under which token. */
const hopKeys: ReadonlySet<string> = new Set([
  PROTOCOL_VERSION_META_KEY,
  CLIENT_INFO_META_KEY,
  CLIENT_CAPABILITIES_META_KEY,
  LOG_LEVEL_META_KEY,
  "progressToken",
]);

/** The params as they go on to the next hop: everything but this hop's own `_meta` keys. */
export function forwardedParams(params: JsonObject): JsonObject {
  const { _meta: _own, ...forwarded } = params;
  const meta = Object.entries(metaOf(params)).filter(([key]) => !hopKeys.has(key));
  return meta.length === 0 ? forwarded : { ...forwarded, _meta: Object.fromEntries(meta) };
}
