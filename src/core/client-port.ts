import type { JsonObject } from "./json.ts";
import type { LogLevel, ProtocolEra } from "./mcp.ts";
import { principalKey } from "./principal.ts";
import type { Principal } from "./principal.ts";
import type { StopSignal } from "./stop-signal.ts";

/** Whom a request is made for, where a server is to be told (`forwardIdentity`). */
export interface Caller {
  readonly principal: Principal;
  readonly projectId: string | null;
}

/** Callers that a server which is told of them may tell apart have different ones. */
export function callerKey({ principal, projectId }: Caller): string {
  const { displayName, email, role } = principal;
  return JSON.stringify([principalKey(principal), displayName, email, role, projectId]);
}

/**
 * The client behind one request, as far as an upstream server may reach it. Made by whoever heard the
 * request (the MCP endpoint, REST), used by the gateway and the upstream connection that serves it.
 */
export interface ClientPort {
  readonly era: ProtocolEra;
  /** The principal's user id: what was opened for one principal is never used for another. */
  readonly owner: string;
  /** Absent: the gateway asks on its own account. */
  readonly caller?: Caller | undefined;
  /**
   * What the client declared (`initialize`, or the request's `_meta`), without `tasks`, which the gateway
   * does not carry. Empty: an upstream can ask it nothing.
   */
  readonly capabilities: JsonObject;
  /** The legacy MCP session the request belongs to, the same object for its whole life; none in the modern era. */
  readonly session: ClientSession | undefined;
  /** The least severe log messages it wants; undefined: none. */
  readonly logLevel: LogLevel | undefined;
  /**
   * Asks the client (`sampling/createMessage`, `elicitation/create`, `roots/list`, or what a later revision
   * adds) and returns its result as it came. Waits for a person as long as it takes, within the bound of
   * whoever made this port.
   * @throws RpcFault the client's error; -32601 when it declared no capability for it or cannot be reached
   */
  request(method: string, params: JsonObject, signal: StopSignal): Promise<JsonObject>;
  /**
   * Tells the client something while its request runs (`notifications/message`, …); dropped when it has
   * gone or does not read. Progress goes another way, for its token is the request's.
   */
  notify(method: string, params: JsonObject): void;
}

/** One legacy-era MCP session of a client: what upstream connections of its own hang on. */
export interface ClientSession {
  readonly id: string;
  /** As it was found last. */
  readonly caller?: Caller | undefined;
  readonly capabilities: JsonObject;
  /** As `logging/setLevel` last said. */
  readonly logLevel: LogLevel | undefined;
  /** Aborted when the session has ended. */
  readonly ended: AbortSignal;
  /** Outside of any request of the client; as `ClientPort.request`. */
  request(method: string, params: JsonObject, signal: StopSignal): Promise<JsonObject>;
  notify(method: string, params: JsonObject): void;
}

/** The capabilities for which an upstream must know which client it asks. */
const askable = ["sampling", "elicitation", "roots"] as const;

/** Whether an upstream could ask this client anything. */
export function canBeAsked(capabilities: JsonObject): boolean {
  return askable.some((name) => capabilities[name] !== undefined);
}

/** A client that declared nothing, wants no log messages and belongs to no session. */
export const silentClient: ClientPort = {
  era: "modern",
  owner: "",
  capabilities: {},
  session: undefined,
  logLevel: undefined,
  request: () => Promise.reject(new Error("The client can be asked nothing")),
  notify: () => undefined,
};
