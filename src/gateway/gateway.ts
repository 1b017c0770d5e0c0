import type { Credentials, SignInWay } from "../auth/authenticator.ts";
import type { DoorAnswer } from "../auth/door.ts";
import type { JsonObject } from "../core/json.ts";
import type { CallToolResult, Progress, Tool } from "../core/mcp.ts";
import type { Principal } from "../core/principal.ts";

export type { DoorAnswer };

/** Who asks, and through which client: what the audit row of a call says beside the principal. */
export interface CallerContext {
  principal: Principal;
  clientName: string;
  sessionId: string | null;
  projectId: string | null;
}

export type ToolAddress =
  /** As REST clients and the CLI name it. */
  | { server: string; tool: string }
  /** As MCP clients see it: `server__tool`. */
  | { exposedName: string };

export interface GatewayCall {
  address: ToolAddress;
  /** `tools/call` params without the name: `arguments`, `_meta`, `inputResponses`, `requestState`, … */
  params: JsonObject;
  /** Arguments given as text, to be typed by the tool's schema (REST only). */
  untyped?: Readonly<Record<string, string>> | undefined;
  /** Text for the one required string parameter that is missing (REST only). */
  text?: string | undefined;
  /** The caller's limit; the server's configured timeout holds when it is shorter. */
  timeoutMs?: number | undefined;
  signal: AbortSignal;
  onProgress?: ((progress: Progress) => void) | undefined;
}

export interface ServerSummary {
  name: string;
  state: "starting" | "ready" | "unavailable";
  /** Why it is unavailable. */
  reason?: string | undefined;
  toolCount: number;
  tags: readonly string[];
}

export interface ServerDetail extends ServerSummary {
  tools: readonly Tool[];
  instructions?: string | undefined;
  stderrTail: readonly string[];
  serverInfo?: { name: string; version: string } | undefined;
}

/** The way of a request, free of transport: authenticate → route → check → call → audit. */
export interface Gateway {
  readonly signInWays: readonly SignInWay[];
  authenticate(credentials: Credentials): Promise<DoorAnswer>;
  /** The merged catalog under the names MCP clients see. */
  listTools(caller: CallerContext): readonly Tool[];
  listServers(caller: CallerContext): ServerSummary[];
  /** @throws AppError `not_found` with a "did you mean" hint */
  inspectServer(caller: CallerContext, server: string): ServerDetail;
  /** @throws AppError `not_found`; `upstream_unavailable` while its server is not ready */
  inspectTool(caller: CallerContext, server: string, tool: string): Tool;
  /**
   * The only way of a tool call. The result is what the upstream sent.
   * @throws AppError, UpstreamRpcError
   */
  callTool(caller: CallerContext, call: GatewayCall): Promise<CallToolResult>;
  /**
   * Writes the audit row of a tool call that was refused before it came to `callTool`; of a flood, a bounded
   * number of rows and one that says how many were left out.
   * @param toolName `unknown` where nobody said which
   */
  recordRefusal(toolName: string, caller: Omit<CallerContext, "principal">): void;
  /** Writes what `recordRefusal` still holds back; for the end of the process. */
  flushRefusals(): void;
  /** The playbook and the live inventory, foreign text marked as such. */
  instructions(caller: CallerContext, audience: "shell" | "mcp"): string;
  /** Names that could not be offered as they are, for `inspect` and the log. */
  readonly collisions: readonly string[];
  /** Whether every enabled upstream is ready or shown unavailable with its reason. */
  readonly settled: boolean;
  /**
   * Resolves when the gateway has settled for the first time, and in any case a few seconds after its
   * start: who lists tools before that would be told of too few, and one dead server must not hold up all.
   */
  readonly started: Promise<void>;
  /** Called after the merged catalog changed. Returns the way to stop listening. */
  onToolsChanged(listener: () => void): () => void;
}
