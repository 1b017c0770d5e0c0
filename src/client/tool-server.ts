import type { JsonObject } from "../core/json.ts";
import type { CallToolResult, Progress, Tool } from "../core/mcp.ts";

export interface ServerRow {
  name: string;
  state: "starting" | "ready" | "unavailable";
  reason?: string | undefined;
  toolCount: number;
  tags: readonly string[];
}

export interface ServerPage extends ServerRow {
  tools: readonly Tool[];
  instructions?: string | undefined;
  stderrTail: readonly string[];
  serverInfo?: { name: string; version: string } | undefined;
}

/** A person's answer to `elicitation/create` (MCP `ElicitResult`). */
export interface ElicitationAnswer {
  action: "accept" | "decline" | "cancel";
  content?: Record<string, string | number | boolean | string[]>;
}

/** Asks a person; the parameters are foreign. */
export type AskPerson = (params: JsonObject) => Promise<ElicitationAnswer>;

export interface ToolCall {
  arguments: JsonObject;
  /** `key=value` pairs, typed by the tool's schema (by the gateway over REST, by us over MCP). */
  untyped: Readonly<Record<string, string>>;
  /** Piped text for the one required string parameter that is missing. */
  text?: string | undefined;
  signal: AbortSignal;
  timeoutMs: number;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Answers one `elicitation/create` request; absent: declined. */
  onElicitation?: AskPerson | undefined;
}

/**
 * A server seen from the client side. Two adapters: the REST API of a OneDoor gateway, and MCP for any
 * other server (which is then itself the only row of `servers`).
 */
export interface ToolServer {
  readonly kind: "onedoor" | "mcp";
  servers(): Promise<readonly ServerRow[]>;
  /** @throws AppError `not_found`, with "did you mean" in the hint */
  server(name: string): Promise<ServerPage>;
  /** @throws AppError `not_found` or, while its server is not ready, `upstream_unavailable` */
  tool(server: string, tool: string): Promise<Tool>;
  call(server: string, tool: string, call: ToolCall): Promise<CallToolResult>;
  /** The playbook and live inventory as text. */
  instructions(): Promise<string>;
  close(): Promise<void>;
}
