import type { JsonObject } from "./json.ts";

/**
 * The parts of MCP messages that OneDoor itself reads. Everything else in them is carried along
 * untouched (the index signature), so that no field an upstream sends is lost on the way.
 */
export interface Tool extends JsonObject {
  name: string;
  inputSchema: JsonObject;
}

/** MCP `CallToolResult` (or an `input_required` result of 2026-07-28), exactly as the upstream sent it. */
export type CallToolResult = JsonObject;

/** MCP `notifications/progress` parameters without the token, which is remapped at each hop. */
export interface Progress {
  progress: number;
  total?: number | undefined;
  message?: string | undefined;
}

/** legacy: `initialize` (2024-11-05 … 2025-11-25); modern: 2026-07-28. */
export type ProtocolEra = "legacy" | "modern";
