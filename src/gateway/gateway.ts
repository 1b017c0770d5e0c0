import type { Credentials, SignInWay } from "../auth/authenticator.ts";
import type { DoorAnswer } from "../auth/door.ts";
import type { ClientPort, ClientSession } from "../core/client-port.ts";
import type { ExposedTool } from "../core/find-tools.ts";
import type { JsonObject } from "../core/json.ts";
import type { Preset } from "../core/configuration.ts";
import type { CallToolResult, Listing, ListKind, LogLevel, Tool } from "../core/mcp.ts";
import type { Principal } from "../core/principal.ts";
import type { Selection, SelectionRequest } from "../core/selection.ts";
import type { StopSignal } from "../core/stop-signal.ts";

export type { DoorAnswer };

/** Who asks, and through which client: what the audit row of a call says beside the principal. */
export interface CallerContext {
  principal: Principal;
  clientName: string;
  sessionId: string | null;
  projectId: string | null;
  /** The bearer that was shown, so that it can be kept out of the audit row; decides nothing. */
  credential?: string | undefined;
  /** The way back to the client. */
  client: ClientPort;
  /** Of what it sees, what it wants to see now; undefined: all of it. It narrows, and grants nothing. */
  selection?: Selection | undefined;
  /** `discover`: an MCP client that is offered three tools in place of the catalog (`mcp/discover-tools.ts`). */
  mode?: "discover" | undefined;
}

export type ToolAddress =
  /** As REST clients and the CLI name it. */
  | { server: string; tool: string }
  /** As MCP clients see it: `server__tool`. */
  | { exposedName: string };

/** What every request that goes on to an upstream server has. */
export interface RoutedRequest {
  /**
   * The request's params without hop keys in `_meta`. In the modern era they may hold `inputResponses` and
   * `requestState`, which is the gateway's own here.
   */
  params: JsonObject;
  signal: StopSignal;
  /** The notification's params without the token. */
  onProgress?: ((params: JsonObject) => void) | undefined;
}

export interface GatewayCall extends RoutedRequest {
  address: ToolAddress;
  /** Arguments given as text, to be typed by the tool's schema (REST only). */
  untyped?: Readonly<Record<string, string>> | undefined;
  /** Text for the one required string parameter that is missing (REST only). */
  text?: string | undefined;
  /** The caller's limit; the server's configured timeout holds when it is shorter. */
  timeoutMs?: number | undefined;
}

export interface ServerSummary {
  name: string;
  /** `ready` is also one that was stopped because nobody used it, and starts at the next call. */
  state: "starting" | "ready" | "unavailable";
  /** Why it is unavailable. */
  reason?: string | undefined;
  toolCount: number;
  counts: Record<ListKind, number>;
  tags: readonly string[];
  /** In a list: how many of its tools are kept from everybody until they are approved; absent: none. */
  withheld?: number | undefined;
}

export interface ServerDetail extends ServerSummary, Listing {
  /** Cut, with a note, where they are longer than anybody is shown. */
  instructions?: string | undefined;
  stderrTail: readonly string[];
  serverInfo?: JsonObject | undefined;
  /** What it lists and clients are not shown, or not as it is, and why; one line each. */
  problems: readonly string[];
}

/** What an administrator sees of a server beside its detail. */
export interface ServerStatus extends ServerSummary {
  type: "stdio" | "http" | "sse";
  connection: "shared" | "session";
  connections: number;
  era?: "legacy" | "modern" | undefined;
  idle: boolean;
  problems: readonly string[];
}

/** A preset as one caller is shown it: of servers that it does not see, nothing is told. */
export interface PresetSummary {
  name: string;
  /** As it is configured, without the names of servers that the caller does not see. */
  definition: Preset;
  /** Those it chooses now of what the caller sees. */
  servers: readonly string[];
  /** What it names and is not there: servers are told to who administers the gateway alone. */
  missing: { servers: readonly string[]; tags: readonly string[] };
}

/** What changed for clients; `session`: for this one only, undefined: for all. */
export type ListsChanged = (
  kinds: ReadonlySet<ListKind>,
  session: ClientSession | undefined,
) => void;

/**
 * The way of a request, free of transport: authenticate → count → route → decide → check → call → audit. What
 * a caller may not see is not there for it: servers of other organisations are in no list, no hint and no error.
 */
export interface Gateway {
  readonly signInWays: readonly SignInWay[];
  authenticate(credentials: Credentials): Promise<DoorAnswer> | DoorAnswer;
  /** What a request chooses by the presets as they are now; the same object for equal requests. @throws as `Selections.of` */
  selectionOf(request: SelectionRequest): Selection | undefined;
  presets(caller: CallerContext): PresetSummary[];
  /** The merged catalog under the names MCP clients see, as this caller's client sees it. */
  list<Kind extends ListKind>(caller: CallerContext, kind: Kind): Promise<Listing[Kind]>;
  /** `list` of the tools, each with the name of its server. */
  listTools(caller: CallerContext): Promise<readonly ExposedTool[]>;
  /** A tool by its exposed name, without asking any server; undefined when it is not in the caller's catalog. */
  exposedTool(caller: CallerContext, exposedName: string): Tool | undefined;
  listServers(caller: CallerContext): ServerSummary[];
  serverStatus(caller: CallerContext): ServerStatus[];
  /** @throws AppError `not_found`; `forbidden` for a server that is not the caller's to manage (`managesServer`) */
  restartServer(caller: CallerContext, server: string): void;
  /** @throws AppError `not_found` with a "did you mean" hint */
  inspectServer(caller: CallerContext, server: string): ServerDetail;
  /**
   * Also one that is not listed to the caller because its role is too small for it: to see what it is, is reading.
   * @throws AppError `not_found`; `upstream_unavailable` while its server is not ready
   */
  inspectTool(caller: CallerContext, server: string, tool: string): Tool;
  /**
   * The only way of a tool call, and the only place where is decided whether it may be made. The result is
   * what the upstream sent; for a client of the modern era (and REST) it may be an `input_required` result
   * whose `requestState` is the gateway's.
   * @throws AppError, `forbidden` and `rate_limited` among them; RpcFault
   */
  callTool(caller: CallerContext, call: GatewayCall): Promise<CallToolResult>;
  /** `prompts/get` by the exposed name. @throws AppError, RpcFault */
  getPrompt(caller: CallerContext, request: RoutedRequest): Promise<JsonObject>;
  /** `resources/read`. @throws AppError `not_found` when no server has it, RpcFault */
  readResource(caller: CallerContext, request: RoutedRequest): Promise<JsonObject>;
  /** `completion/complete`. @throws AppError, RpcFault */
  complete(caller: CallerContext, request: RoutedRequest): Promise<JsonObject>;
  /**
   * Hears of updates of a resource, by the URI the caller named, until the returned function is called. Nothing
   * is told while the caller cannot see the server: it is asked for its principal at each update.
   * @throws AppError `not_found`, RpcFault
   */
  subscribeResource(
    caller: CallerContext,
    uri: string,
    onUpdated: (params: JsonObject) => void,
  ): Promise<() => void>;
  /** `logging/setLevel` of the caller's legacy session: told to the servers it can see. @throws AppError `forbidden` */
  setLogLevel(caller: CallerContext, level: LogLevel): void;
  /** The roots of the caller's legacy session. */
  rootsChanged(caller: CallerContext): void;
  /**
   * Writes the audit row of a tool call that was refused before it came to `callTool`; of a flood, a bounded
   * number of rows and one that says how many were left out.
   * @param toolName `unknown` where nobody said which
   * @param caller with its principal where it is known who was refused
   */
  recordRefusal(
    toolName: string,
    caller: Omit<CallerContext, "principal" | "client"> & {
      principal?: Pick<Principal, "userId" | "organizationId"> | undefined;
    },
  ): void;
  /** Writes what `recordRefusal` still holds back; for the end of the process. */
  flushRefusals(): void;
  /** The playbook and the live inventory, foreign text marked as such. */
  instructions(caller: CallerContext, audience: "shell" | "mcp" | "discover"): string;
  /** Names and URIs that could not be offered as they are to this caller, for `inspect` and `/servers`. */
  collisions(caller: CallerContext): readonly string[];
  /** Whether every enabled upstream is ready or shown unavailable with its reason. */
  readonly settled: boolean;
  /**
   * Resolves when the gateway has settled for the first time, and in any case a few seconds after its
   * start: who lists tools before that would be told of too few, and one dead server must not hold up all.
   */
  readonly started: Promise<void>;
  /**
   * Called after a list that this caller sees has changed, debounced. Who it is, is asked at each change: its
   * `principal` may be another by then. Returns the way to stop listening.
   */
  onListsChanged(
    caller: Pick<CallerContext, "principal" | "selection">,
    listener: ListsChanged,
  ): () => void;
  /** Ends parked calls and timers. */
  close(): void;
}
