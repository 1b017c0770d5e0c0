import type { IncomingHttpHeaders } from "node:http";
import type { RpcNotification, RpcRequest } from "../core/json-rpc.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { mcpNameParameter } from "../core/mcp.ts";
import { claimedVersion } from "./modern-envelope.ts";
import { headerMismatch } from "./refused.ts";
import type { Refused } from "./refused.ts";

// What stands between client and gateway may route and decide by headers, so they must say what the body
// says (2026-07-28, "Standard request headers").

export const versionHeader = "mcp-protocol-version";
const methodHeader = "mcp-method";
const nameHeader = "mcp-name";

/** A header of which only one makes sense; several are joined, and so match nothing. */
export function headerOf(headers: IncomingHttpHeaders, name: string): string | undefined {
  const value = headers[name];
  return Array.isArray(value) ? value.join(", ") : value;
}

/** What in the headers contradicts the body; what is missing in them is not looked at. */
export function contradiction(
  message: RpcRequest | RpcNotification,
  headers: IncomingHttpHeaders,
): Refused | undefined {
  const id = "id" in message ? message.id : null;
  const version = headerOf(headers, versionHeader);
  const claimed = claimedVersion(message.params);
  if (version !== undefined && claimed !== undefined && version !== claimed) {
    return headerMismatch(id, version, "MCP-Protocol-Version is not the version in the body");
  }
  const method = headerOf(headers, methodHeader);
  if (method !== undefined && method !== message.method) {
    return headerMismatch(id, method, "Mcp-Method is not the method in the body");
  }
  return undefined;
}

/** The headers that a modern request must have, `Mcp-Name` with its value. */
export function standardHeaderFault(
  { id, method, params }: RpcRequest,
  headers: IncomingHttpHeaders,
): Refused | undefined {
  if (headerOf(headers, versionHeader) === undefined) {
    return headerMismatch(id, "", "The header MCP-Protocol-Version is missing");
  }
  if (headerOf(headers, methodHeader) === undefined) {
    return headerMismatch(id, "", "The header Mcp-Method is missing");
  }
  const parameter = Object.hasOwn(mcpNameParameter, method) ? mcpNameParameter[method] : undefined;
  const named = parameter === undefined ? undefined : params?.[parameter];
  const given = headerOf(headers, nameHeader);
  if (parameter === undefined || typeof named !== "string") return undefined;
  if (given === undefined) return headerMismatch(id, "", "The header Mcp-Name is missing");
  const name = decoded(given);
  if (name === undefined) return headerMismatch(id, given, "Mcp-Name is not valid base64");
  return name === named
    ? undefined
    : headerMismatch(id, given, `Mcp-Name is not params.${parameter} in the body`);
}

/** Arguments that the tool's schema wants repeated in `Mcp-Param-*` headers (`x-mcp-header`). */
export function parameterHeaderFault(
  { id, params }: RpcRequest,
  inputSchema: JsonObject,
  headers: IncomingHttpHeaders,
): Refused | undefined {
  for (const { name, value } of repeated(inputSchema, params?.["arguments"])) {
    const header = `Mcp-Param-${name}`;
    const given = headerOf(headers, header.toLowerCase());
    if (given === undefined) return headerMismatch(id, "", `The header ${header} is missing`);
    const text = decoded(given);
    if (text === undefined) return headerMismatch(id, given, `${header} is not valid base64`);
    if (!says(text, value)) {
      return headerMismatch(id, given, `${header} is not the argument in the body`);
    }
  }
  return undefined;
}

interface Repeated {
  name: string;
  value: string | number | boolean;
}

/** A header's name (RFC 9110 §5.1 `token`). */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/u;
const repeatable: ReadonlySet<unknown> = new Set(["string", "integer", "number", "boolean"]);
/** Property schemas nested deeper than this declare nothing. */
const deepest = 16;

function repeated(
  schema: Json | undefined,
  value: Json | undefined,
  depth = 0,
  found: Repeated[] = [],
): readonly Repeated[] {
  const properties = isJsonObject(schema) ? schema["properties"] : undefined;
  if (!isJsonObject(properties) || !isJsonObject(value) || depth > deepest) return found;
  for (const [key, property] of Object.entries(properties)) {
    const given = Object.hasOwn(value, key) ? value[key] : undefined;
    if (!isJsonObject(property) || given === undefined) continue;
    const { "x-mcp-header": name, type } = property;
    const isDeclared = typeof name === "string" && token.test(name) && repeatable.has(type);
    if (isDeclared && isRepeatable(given)) found.push({ name, value: given });
    repeated(property, given, depth + 1, found);
  }
  return found;
}

function isRepeatable(value: Json): value is string | number | boolean {
  if (typeof value === "number") return !Number.isInteger(value) || Number.isSafeInteger(value);
  return typeof value === "string" || typeof value === "boolean";
}

/** Numbers by their value: `42.0` says 42. */
function says(text: string, value: string | number | boolean): boolean {
  if (typeof value !== "number") return text === String(value);
  return /^-?\d+(?:\.\d+)?$/u.test(text) && Number(text) === value;
}

/** As it is, or what `=?base64?…?=` holds; undefined when that is no canonical base64 of UTF-8. */
function decoded(value: string): string | undefined {
  if (!value.startsWith("=?base64?") || !value.endsWith("?=")) return value;
  const base64 = value.slice("=?base64?".length, -"?=".length);
  const bytes = Buffer.from(base64, "base64");
  if (bytes.toString("base64") !== base64) return undefined;
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
