import { isJsonObject } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";

/** A header's name (RFC 9110 §5.1 `token`). */
const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/u;
/** Property schemas nested deeper than this declare nothing. */
const deepest = 16;

/**
 * The `Mcp-Param-<name>` headers of a tool call (MCP 2026-07-28, Streamable HTTP: `x-mcp-header`): values of
 * `args` that the tool's schema wants repeated there, so that what stands between can route by them. Only
 * declarations on string, integer and boolean properties count; a faulty one is left out, and the server
 * judges.
 */
export function parameterHeaders(inputSchema: JsonObject, args: Json): Record<string, string> {
  const headers: Record<string, string> = {};
  collect(inputSchema, args, headers, 0);
  return headers;
}

function collect(
  schema: Json | undefined,
  value: Json | undefined,
  headers: Record<string, string>,
  depth: number,
): void {
  const properties = isJsonObject(schema) ? schema["properties"] : undefined;
  if (!isJsonObject(properties) || !isJsonObject(value) || depth > deepest) return;
  for (const [key, property] of Object.entries(properties)) {
    const given = Object.hasOwn(value, key) ? value[key] : undefined;
    if (!isJsonObject(property)) continue;
    const name = property["x-mcp-header"];
    if (typeof name === "string" && token.test(name)) {
      const text = textOf(property["type"], given);
      if (text !== undefined) headers[`Mcp-Param-${name}`] = fieldValue(text);
    }
    collect(property, given, headers, depth + 1);
  }
}

function textOf(type: Json | undefined, value: Json | undefined): string | undefined {
  if (type === "string" && typeof value === "string") return value;
  if (type === "boolean" && typeof value === "boolean") return String(value);
  const whole = typeof value === "number" && Number.isSafeInteger(value);
  return type === "integer" && whole ? String(value) : undefined;
}

/** As it is when a header can carry it unchanged (RFC 9110 §5.5), else `=?base64?…?=` of its UTF-8. */
function fieldValue(text: string): string {
  const plain = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/u.test(text);
  if (plain && !(text.startsWith("=?base64?") && text.endsWith("?="))) return text;
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCodePoint(byte));
  return `=?base64?${btoa(bytes.join(""))}?=`;
}
