import type { JsonObject } from "../core/json.ts";
import type { LogLevel, ProtocolEra } from "../core/mcp.ts";
import type { StopSignal } from "../core/stop-signal.ts";
import type { Authorize, Transport } from "./transport.ts";

/** One live connection to one MCP server, in the era it speaks. Opened once, and lost or closed once. */
export interface McpConnection {
  readonly era: ProtocolEra;
  readonly protocolVersion: string;
  /** As the server announced them; every field kept. */
  readonly serverInfo: JsonObject;
  readonly capabilities: JsonObject;
  readonly instructions: string | undefined;
  /** Whether the server holds a session for us, which it could forget. */
  readonly hasSession: boolean;
  /** Resolves when the connection ends by itself; never when `close` ends it. */
  readonly lost: Promise<string>;
  /**
   * Sends a request and returns the result object as the server sent it. Aborting cancels it at the server
   * (`notifications/cancelled`; over modern HTTP by closing its stream) and rejects with the abort's reason.
   * @throws RpcFault the server's JSON-RPC error; AnswerFault when what came is no answer, or nothing can
   *   come any more; HttpStatusError; an Error of the network
   */
  request(method: string, params: JsonObject, options: RequestOptions): Promise<JsonObject>;
  notify(method: string, params: JsonObject): Promise<void>;
  /**
   * Modern era: keeps a `subscriptions/listen` stream open for what `filter` names, renewing it with a growing
   * pause when it ends; what it carries goes to the connection's `onNotification`. Replaces the earlier one,
   * which ends when the new one stands. Resolves when the server has acknowledged it, or will not just now;
   * never rejects.
   */
  listen(filter: JsonObject): Promise<void>;
  close(): Promise<void>;
}

export interface RequestOptions {
  signal: StopSignal;
  /** Asks for progress; gets the notification's params without the token. */
  onProgress?: ((params: JsonObject) => void) | undefined;
  /** What the server says or asks on this request's own stream; in place of the connection's own listeners. */
  onNotification?: NotificationListener | undefined;
  onRequest?: RequestListener | undefined;
  /** Modern era: what this request declares in its `_meta`, in place of the connection's. */
  capabilities?: JsonObject | undefined;
  logLevel?: LogLevel | undefined;
  /** HTTP headers of this request alone. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** On whose behalf, in place of the connection's own (HTTP). */
  authorize?: Authorize | undefined;
}

export type NotificationListener = (method: string, params: JsonObject) => void;
/**
 * Answers a request of the server. A thrown RpcFault becomes its error, anything else -32603. `signal` is
 * aborted when the server cancels it or the connection ends.
 */
export type RequestListener = (
  method: string,
  params: JsonObject,
  signal: AbortSignal,
) => Promise<JsonObject>;

export interface OpenOptions {
  transport: Transport;
  clientInfo: { name: string; version: string };
  /** Declared for the whole connection (legacy), or for each request without its own (modern). */
  capabilities: JsonObject;
  /** "legacy": begin with `initialize`, without asking for the modern era first. */
  mode: "auto" | "legacy";
  /** How long the question for the modern era may stay unanswered, in milliseconds; on a pipe silence means legacy. */
  probeMs: number;
  /** Aborts the opening. */
  signal: AbortSignal;
  /** Notifications on no request's own stream; progress and cancellations are dealt with before. */
  onNotification: NotificationListener;
  /** Requests on no request's own stream; `ping` is answered before. Absent: -32601. */
  onRequest?: RequestListener | undefined;
}

/** What came is no answer to the request, or none can come any more. */
export class AnswerFault extends Error {
  override readonly name = "AnswerFault";
  /** "ended": nothing came and nothing will; "unusable": what came is no answer. */
  readonly kind: "ended" | "unusable";
  constructor(message: string, kind: AnswerFault["kind"] = "ended") {
    super(message);
    this.kind = kind;
  }
}

/** The connection could not be opened. */
export class OpenFault extends Error {
  override readonly name = "OpenFault";
  /** It failed while the server was asked for the modern era: `initialize` was never sent. */
  readonly inProbe: boolean;
  constructor(message: string, options: { inProbe: boolean; cause: unknown }) {
    super(message, { cause: options.cause });
    this.inProbe = options.inProbe;
  }
}
