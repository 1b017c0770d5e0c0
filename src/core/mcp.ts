import { isJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";

/**
 * The parts of MCP messages that OneDoor itself reads. Everything else in them is carried along
 * untouched (the index signature), so that no field an upstream sends is lost on the way.
 */
export interface Tool extends JsonObject {
  name: string;
  inputSchema: JsonObject;
}

/** What has no name or no input schema cannot be called. */
export function isTool(value: unknown): value is Tool {
  return (
    isJsonObject(value) && typeof value["name"] === "string" && isJsonObject(value["inputSchema"])
  );
}

/** MCP `CallToolResult` (or an `input_required` result of 2026-07-28), exactly as the upstream sent it. */
export type CallToolResult = JsonObject;

/** MCP `notifications/progress` parameters without the token, which is remapped at each hop. */
export interface Progress {
  progress: number;
  total?: number | undefined;
  message?: string | undefined;
}

/** Reads what stands in a notification; undefined when this is no progress. */
export function progressOf(value: unknown): Progress | undefined {
  if (!isJsonObject(value) || typeof value["progress"] !== "number") return undefined;
  const { progress, total, message } = value;
  return {
    progress,
    ...(typeof total === "number" && { total }),
    ...(typeof message === "string" && { message }),
  };
}

/** legacy: `initialize` (2024-11-05 … 2025-11-25); modern: 2026-07-28. */
export type ProtocolEra = "legacy" | "modern";
