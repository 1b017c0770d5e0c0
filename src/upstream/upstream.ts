import type { ClientPort, ClientSession } from "../core/client-port.ts";
import type { JsonObject } from "../core/json.ts";
import type { Listing, LogLevel, ProtocolEra } from "../core/mcp.ts";
import type { StopSignal } from "../core/stop-signal.ts";

/**
 * Where an upstream server stands. `waiting` is the pause of the back-off between two starts; `idle` one
 * that was stopped because nobody used it, and is started by the next request.
 * An upstream is *settled* when it is ready or idle, or has failed at least once and so has a reason to show.
 */
export type UpstreamState =
  /** `reason`: why the start or connection before this one failed; absent at the first start. */
  | { kind: "starting"; attempt: number; reason?: string | undefined }
  | { kind: "ready"; era: ProtocolEra }
  | { kind: "idle"; era: ProtocolEra }
  | { kind: "waiting"; reason: string; retryAtMs: number; attempt: number }
  | { kind: "stopped" };

export interface UpstreamRequest {
  method: string;
  /** With the server's own names and URIs, without the caller's hop keys in `_meta`. */
  params: JsonObject;
  /** Whom the server may ask, and tell what it says, while it works on this. */
  client: ClientPort;
  signal: StopSignal;
  /** Idle limit in milliseconds; each progress notification starts it again, under `maxTotalMs`. While a client is asked it stands still. */
  timeoutMs: number;
  maxTotalMs: number;
  /** The notification's params without the token. */
  onProgress?: ((params: JsonObject) => void) | undefined;
}

/** One upstream server, kept alive under supervision. */
export interface Upstream {
  readonly name: string;
  readonly state: UpstreamState;
  /**
   * What the server last listed to a client without capabilities, every field kept; empty until it was
   * ready once. It stays while the server is started again: a call then fails with the reason, not as
   * unknown. The same object as long as nothing changed.
   */
  readonly listing: Listing;
  /** Why parts of the listing are missing, one line each. */
  readonly listingProblems: readonly string[];
  /** The server's capabilities as it announced them; empty until it was ready once. */
  readonly capabilities: JsonObject;
  readonly serverInfo: JsonObject | undefined;
  readonly instructions: string | undefined;
  /** The last lines of its standard error (stdio only), oldest first, at most 50 lines of 500 characters. */
  readonly stderrTail: readonly string[];
  /** How many live connections there are: the common one, and those of single clients. */
  readonly connections: number;
  /**
   * What the server lists to a client that declared what this one did: over a connection of its own where
   * the configuration gives it one (`connection: session`), else `listing`. Opens that connection when it
   * is not there yet; when it cannot be opened, `listing`. The same object as long as nothing changed.
   */
  listingFor(client: ClientPort): Promise<Listing>;
  /**
   * Sends a request and returns the result exactly as the server sent it (in the modern era it may be
   * `input_required`). A server that has forgotten our session is connected again and asked once more.
   * @throws AppError `upstream_unavailable` (not connected, or died meanwhile), `timeout`
   * @throws RpcFault when the server answers with a JSON-RPC error
   */
  request(request: UpstreamRequest): Promise<JsonObject>;
  /**
   * `resources/subscribe` for the client's own connection where it has one, else once for all on the common
   * one, kept over reconnections. Updates come as the pool's `onResourceUpdated`.
   * @returns which of them will tell this client
   * @throws as `request`
   */
  subscribe(uri: string, client: ClientPort): Promise<"own" | "common">;
  unsubscribe(uri: string, client: ClientPort): Promise<void>;
  /** A session of a client wants log messages from this level on; a server without logging is not told. */
  setLogLevel(level: LogLevel, session: ClientSession): Promise<void>;
  /** The client's roots changed: told to its own connection, if it has one. */
  rootsChanged(session: ClientSession): void;
  /** Stops and starts it again at once, for an administrator. */
  restart(): void;
  /** Ends it and every process it started; resolves when they are gone. */
  close(): Promise<void>;
}

/** All configured upstream servers. */
export interface UpstreamPool {
  readonly upstreams: ReadonlyMap<string, Upstream>;
  /** Called after any state or common listing changed. Returns the way to stop listening. */
  onChange(listener: () => void): () => void;
  /** Called after the listing of one client session's own connection changed. */
  onSessionListingChanged(listener: (session: ClientSession) => void): () => void;
  /**
   * Called for `notifications/resources/updated`.
   * @param session whose own connection said it; undefined: the common one
   */
  onResourceUpdated(
    listener: (server: string, params: JsonObject, session: ClientSession | undefined) => void,
  ): () => void;
  close(): Promise<void>;
}
