import { isJsonObject } from "./json.ts";
import type { JsonObject } from "./json.ts";

/** legacy: `initialize` (2024-11-05 … 2025-11-25); modern: 2026-07-28. */
export type ProtocolEra = "legacy" | "modern";

/** Newest first. */
export const modernVersions: readonly string[] = ["2026-07-28"];
export const legacyVersions: readonly string[] = [
  "2025-11-25",
  "2025-06-18",
  "2025-03-26",
  "2024-11-05",
];

/** Keys in the `_meta` of modern messages (2026-07-28, "Per-request metadata"). */
export const metaKeys = {
  protocolVersion: "io.modelcontextprotocol/protocolVersion",
  clientInfo: "io.modelcontextprotocol/clientInfo",
  clientCapabilities: "io.modelcontextprotocol/clientCapabilities",
  logLevel: "io.modelcontextprotocol/logLevel",
  serverInfo: "io.modelcontextprotocol/serverInfo",
  subscriptionId: "io.modelcontextprotocol/subscriptionId",
} as const;

/** What stands in a request's `_meta` for one hop only: who speaks to whom, in which version, under which token. */
const hopKeys: ReadonlySet<string> = new Set([
  metaKeys.protocolVersion,
  metaKeys.clientInfo,
  metaKeys.clientCapabilities,
  metaKeys.logLevel,
  "progressToken",
]);

export function metaOf(params: JsonObject | undefined): JsonObject {
  const meta = params?.["_meta"];
  return isJsonObject(meta) ? meta : {};
}

/** The params as they go on to the next hop: everything but this hop's own `_meta` keys; the same object when there are none. */
export function forwardedParams(params: JsonObject): JsonObject {
  const meta = params["_meta"];
  if (!isJsonObject(meta) || !Object.keys(meta).some((key) => hopKeys.has(key))) return params;
  const { _meta: _own, ...forwarded } = params;
  const kept = Object.entries(meta).filter(([key]) => !hopKeys.has(key));
  return kept.length === 0 ? forwarded : { ...forwarded, _meta: Object.fromEntries(kept) };
}

/** The parameter that the header `Mcp-Name` repeats (2026-07-28, "Standard request headers"). */
export const mcpNameParameter: Readonly<Record<string, string>> = {
  "tools/call": "name",
  "prompts/get": "name",
  "resources/read": "uri",
};

/**
 * The parts of MCP messages that OneDoor itself reads. Everything else in them is carried along
 * untouched (the index signature), so that no field an upstream sends is lost on the way.
 */
export interface Tool extends JsonObject {
  name: string;
  inputSchema: JsonObject;
}
export interface Prompt extends JsonObject {
  name: string;
}
export interface Resource extends JsonObject {
  uri: string;
}
export interface ResourceTemplate extends JsonObject {
  uriTemplate: string;
}

/** What has no name or no input schema cannot be called. */
export function isTool(value: unknown): value is Tool {
  return (
    isJsonObject(value) && typeof value["name"] === "string" && isJsonObject(value["inputSchema"])
  );
}
export function isPrompt(value: unknown): value is Prompt {
  return isJsonObject(value) && typeof value["name"] === "string";
}
export function isResource(value: unknown): value is Resource {
  return isJsonObject(value) && typeof value["uri"] === "string";
}
export function isResourceTemplate(value: unknown): value is ResourceTemplate {
  return isJsonObject(value) && typeof value["uriTemplate"] === "string";
}

/** Everything a server lists, each entry as the server sent it. */
export interface Listing {
  readonly tools: readonly Tool[];
  readonly prompts: readonly Prompt[];
  readonly resources: readonly Resource[];
  readonly resourceTemplates: readonly ResourceTemplate[];
}
export type ListKind = keyof Listing;

export const emptyListing: Listing = {
  tools: [],
  prompts: [],
  resources: [],
  resourceTemplates: [],
};

/** MCP `CallToolResult` (or an `input_required` result of 2026-07-28), exactly as the upstream sent it. */
export type CallToolResult = JsonObject;

/** Whether a result only says what the server wants to know first (2026-07-28, `InputRequiredResult`). */
export function isInputRequired(result: JsonObject): boolean {
  return result["resultType"] === "input_required";
}

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

/** RFC 5424 severities as MCP names them, least severe first. */
export const logLevels = [
  "debug",
  "info",
  "notice",
  "warning",
  "error",
  "critical",
  "alert",
  "emergency",
] as const;
export type LogLevel = (typeof logLevels)[number];

export function isLogLevel(value: unknown): value is LogLevel {
  return logLevels.some((level) => level === value);
}

/** Whether a message of this level is wanted by whoever asked for `wanted` and what is more severe. */
export function reachesLevel(level: unknown, wanted: LogLevel): boolean {
  return isLogLevel(level) && logLevels.indexOf(level) >= logLevels.indexOf(wanted);
}
