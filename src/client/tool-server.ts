import type { Preset } from "../core/configuration.ts";
import type { JsonObject } from "../core/json.ts";
import type { CallToolResult, Progress, Tool } from "../core/mcp.ts";
import type { Target } from "../core/target.ts";
import type { PendingChange } from "../core/tool-pin.ts";

export interface ServerRow {
  name: string;
  state: "starting" | "ready" | "unavailable";
  reason?: string | undefined;
  toolCount: number;
  /** How much else it has; only a gateway says so. */
  counts?: OtherCounts | undefined;
  tags: readonly string[];
  /** How much of it waits for an approval and is kept from everybody; only a gateway says so. */
  withheld?: number | undefined;
}

export interface OtherCounts {
  prompts: number;
  resources: number;
  resourceTemplates: number;
}

export interface ServerPage extends ServerRow {
  tools: readonly Tool[];
  instructions?: string | undefined;
  stderrTail: readonly string[];
  /** What it lists and clients are not shown, and why, one line each; only a gateway says so. */
  problems?: readonly string[] | undefined;
  serverInfo?: { name: string; version: string } | undefined;
  /** What waits for an approval; told to who manages the server. */
  changes?: readonly PendingChange[] | undefined;
}

/** A preset of a gateway. */
export interface PresetRow {
  name: string;
  /** As it is configured, as far as it may be known. */
  definition: Preset;
  /** Those it chooses now. */
  servers: readonly string[];
  /** What it names and is not there. */
  missing: { servers: readonly string[]; tags: readonly string[] };
}

export interface Inventory {
  servers: readonly ServerRow[];
  /** Names and URIs that could not be offered as they are, one sentence each. */
  collisions: readonly string[];
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
  /** The one deadline of the command, which progress extends; aborting it cancels the call upstream. */
  signal: AbortSignal;
  /** Milliseconds of silence that are allowed; told to a gateway, which would end the call earlier. */
  timeoutMs: number;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Told before the call what a person may have got wrong, one sentence each, where it can be known. */
  onDoubt?: ((sentence: string) => void) | undefined;
  /** Answers one `elicitation/create` request; absent: declined. */
  onElicitation?: AskPerson | undefined;
}

/**
 * A server seen from the client side. Two adapters: the REST API of a OneDoor gateway, and MCP for any
 * other server (which is then itself the only row of `inventory`). Every question but a call is bound to
 * the signal the server was connected with. All may throw AppError `unreachable`, `timeout`,
 * `auth_required`, `auth_rejected`, `forbidden` and `rate_limited`.
 */
export interface ToolServer {
  readonly kind: "onedoor" | "mcp";
  /**
   * What a target on the command line names here. Over MCP a target without `/` is a tool, and
   * `<the server's own name>/<tool>` works too; that a server or tool exists is not checked.
   */
  resolve(target: string): Promise<Target>;
  /** The server to show when no target is given: over MCP the only one there is. */
  readonly only: string | undefined;
  inventory(): Promise<Inventory>;
  /** @throws AppError `not_found`, with "did you mean" in the hint */
  server(name: string): Promise<ServerPage>;
  /** @throws AppError `not_found` or, while its server is not ready, `upstream_unavailable` */
  tool(server: string, tool: string): Promise<Tool>;
  /** What of a tool that `tool` gave waits for an approval; absent where nothing is remembered. */
  changeOf?(tool: Tool): PendingChange | undefined;
  /**
   * Calls a tool; what it answers comes back as it is, an `isError` result too.
   * @throws AppError `usage` (arguments), `not_found`, `upstream_unavailable`, `tool_error` (the server
   *   answered with an error of the protocol)
   */
  call(server: string, tool: string, call: ToolCall): Promise<CallToolResult>;
  /** The playbook and live inventory as text. */
  instructions(): Promise<string>;
  /** Absent where there is no such thing: of a gateway alone. */
  presets?(): Promise<readonly PresetRow[]>;
  close(): Promise<void>;
}
