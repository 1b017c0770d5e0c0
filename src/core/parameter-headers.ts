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
      if (text !== undefined) headers[`Mcp-Param-${name}`] = headerFieldValue(text);
    }
    collect(property, given, headers, depth + 1);
  }
}

/** Keywords of JSON Schema below which nothing may be declared: which of it applies is not known beforehand. */
const branches = [
  "items",
  "prefixItems",
  "contains",
  "additionalProperties",
  "unevaluatedProperties",
  "unevaluatedItems",
  "propertyNames",
  "oneOf",
  "anyOf",
  "allOf",
  "not",
  "if",
  "then",
  "else",
];
/** … of which each value is a schema. */
const namedBranches = ["patternProperties", "dependentSchemas", "$defs", "definitions"];

/**
 * Why a tool must not be offered or called by a client of the modern era (MCP 2026-07-28, tools,
 * `x-mcp-header`): a declaration that is no header's name, that stands twice, on a property of another type
 * than string, integer and boolean, or where it cannot be found by going through `properties` alone.
 * Undefined when all are in order.
 */
export function headerDeclarationFault(inputSchema: JsonObject): string | undefined {
  const seen = new Set<string>();
  const visit = (schema: Json | undefined, reachable: boolean): string | undefined => {
    if (!isJsonObject(schema)) return undefined;
    const declared = schema["x-mcp-header"];
    if (declared !== undefined) {
      const fault = reachable ? faultOf(declared, schema["type"], seen) : "is out of reach";
      if (fault !== undefined) return `its x-mcp-header ${fault}`;
    }
    const { properties } = schema;
    for (const property of isJsonObject(properties) ? Object.values(properties) : []) {
      const isOnTheWay = reachable || schema === inputSchema;
      const fault = visit(property, isOnTheWay);
      if (fault !== undefined) return fault;
    }
    for (const branch of branchesOf(schema)) {
      const fault = visit(branch, false);
      if (fault !== undefined) return fault;
    }
    return undefined;
  };
  return visit(inputSchema, false);
}

function branchesOf(schema: JsonObject): Json[] {
  const found = branches.flatMap((keyword) => schema[keyword] ?? []);
  for (const keyword of namedBranches) {
    const named = schema[keyword];
    if (isJsonObject(named)) found.push(...Object.values(named));
  }
  return found;
}

function faultOf(declared: Json, type: Json | undefined, seen: Set<string>): string | undefined {
  if (typeof declared !== "string" || !token.test(declared)) return "is no name of a header";
  if (type !== "string" && type !== "integer" && type !== "boolean") {
    return "is on a property of another type than string, integer and boolean";
  }
  const name = declared.toLowerCase();
  if (seen.has(name)) return "stands twice";
  seen.add(name);
  return undefined;
}

function textOf(type: Json | undefined, value: Json | undefined): string | undefined {
  if (type === "string" && typeof value === "string") return value;
  if (type === "boolean" && typeof value === "boolean") return String(value);
  const whole = typeof value === "number" && Number.isSafeInteger(value);
  return type === "integer" && whole ? String(value) : undefined;
}

/** As it is when a header can carry it unchanged (RFC 9110 §5.5), else `=?base64?…?=` of its UTF-8. */
export function headerFieldValue(text: string): string {
  const plain = /^[\x21-\x7e](?:[\t\x20-\x7e]*[\x21-\x7e])?$/u.test(text);
  if (plain && !(text.startsWith("=?base64?") && text.endsWith("?="))) return text;
  const bytes = Array.from(new TextEncoder().encode(text), (byte) => String.fromCodePoint(byte));
  return `=?base64?${btoa(bytes.join(""))}?=`;
}
