import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";

const declaration = "x-mcp-header";
// RFC 9110 §5.6.2 token.
const headerToken = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const declarable = new Set<Json | undefined>(["string", "integer", "boolean"]);
const deepest = 16;

/**
 * The `Mcp-Param-*` headers of a tool call (MCP 2026-07-28, Streamable HTTP): arguments whose schema
 * property declares `x-mcp-header` are repeated as headers, and a server refuses a call whose headers
 * do not match. Only properties reached through `properties` alone can declare one.
 */
export function parameterHeaders(inputSchema: JsonObject, args: Json): Record<string, string> {
  const headers: Record<string, string> = {};
  const visit = (schema: JsonObject, value: Json, depth: number): void => {
    const { properties } = schema;
    if (depth === deepest || !isJsonObject(properties) || !isJsonObject(value)) return;
    for (const [key, property] of Object.entries(properties)) {
      const argument = Object.hasOwn(value, key) ? value[key] : undefined;
      if (argument === undefined || argument === null || !isJsonObject(property)) continue;
      const name = property[declaration];
      if (typeof name === "string" && headerToken.test(name) && declarable.has(property["type"])) {
        const text = asText(argument);
        if (text !== undefined) headers[`Mcp-Param-${name}`] = asFieldValue(text);
      }
      visit(property, argument, depth + 1);
    }
  };
  visit(inputSchema, args, 0);
  return headers;
}

function asText(value: Json): string | undefined {
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (typeof value !== "number") return undefined;
  return Number.isInteger(value) && !Number.isSafeInteger(value) ? undefined : String(value);
}

/** Plain where a header can carry it unchanged, else `=?base64?…?=` of the UTF-8 bytes. */
function asFieldValue(text: string): string {
  const plain = /^[\t\x20-\x7e]+$/.test(text) && text.trim() === text;
  const looksEncoded = text.startsWith("=?base64?") && text.endsWith("?=");
  return plain && !looksEncoded
    ? text
    : `=?base64?${Buffer.from(text, "utf8").toString("base64")}?=`;
}
