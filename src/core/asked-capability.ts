import { isJsonObject } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";

/**
 * The capability that a client must have declared to be asked this, in the form in which it declares it, when
 * it has not; undefined when it has, or when MCP names none for the method.
 * @param capabilities what the client declared
 */
export function missingCapability(
  method: string,
  params: JsonObject,
  capabilities: JsonObject,
): JsonObject | undefined {
  const [name, detail] = neededFor(method, params);
  if (name === undefined) return undefined;
  const declared = capabilities[name];
  if (!isJsonObject(declared)) return { [name]: detail === undefined ? {} : { [detail]: {} } };
  return detail === undefined || has(declared, name, detail)
    ? undefined
    : { [name]: { [detail]: {} } };
}

function neededFor(method: string, params: JsonObject): [name?: string, detail?: string] {
  switch (method) {
    case "roots/list":
      return ["roots"];
    case "sampling/createMessage":
      return params["tools"] === undefined ? ["sampling"] : ["sampling", "tools"];
    case "elicitation/create":
      return ["elicitation", params["mode"] === "url" ? "url" : "form"];
    default:
      return [];
  }
}

function has(declared: Record<string, Json>, name: string, detail: string): boolean {
  if (declared[detail] !== undefined) return true;
  // Who says nothing of modes takes forms (2025-11-25, "Elicitation: Capabilities").
  return name === "elicitation" && detail === "form" && declared["url"] === undefined;
}
