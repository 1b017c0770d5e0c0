import { isJsonObject } from "../core/json.ts";
import type { Json } from "../core/json.ts";

/** The argument of a call that holds its bearer (contract §4, `POST /api/mcp/tools/call`). */
export const tokenArgument = "auth_token";

/** Takes the bearer out of a call's body, in place. @returns what it was; undefined when there was none */
export function takeArgumentToken(body: unknown): Json | undefined {
  const given = isJsonObject(body) ? body["arguments"] : undefined;
  if (!isJsonObject(given) || !Object.hasOwn(given, tokenArgument)) return undefined;
  const token = given[tokenArgument];
  delete given[tokenArgument];
  return token;
}

/** Levels of schemas within schemas that are looked at. */
const deepest = 8;

/** Whether a tool's own input schema has an argument of the name, itself or in what it is put together of. */
export function knowsArgument(schema: Json | undefined, name: string, level = 0): boolean {
  if (!isJsonObject(schema) || level > deepest) return false;
  const { properties } = schema;
  if (isJsonObject(properties) && Object.hasOwn(properties, name)) return true;
  return ["allOf", "anyOf", "oneOf"].some((keyword) => {
    const parts = schema[keyword];
    return Array.isArray(parts) && parts.some((part) => knowsArgument(part, name, level + 1));
  });
}
