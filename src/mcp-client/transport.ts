import type { RequestId, RpcMessage } from "../core/json-rpc.ts";
import type { StopSignal } from "../core/stop-signal.ts";

/**
 * The way messages travel to one MCP server and back. It frames and delivers; what the messages mean is
 * the connection's business.
 */
export interface Transport {
  /** @throws Error whose message is a reason in one line */
  start(receiver: Receiver): Promise<void>;
  /**
   * Resolves when the message was handed over: written to the pipe, or its POST answered with a 2xx head.
   * Answers come to the receiver.
   * @throws HttpStatusError, or an Error of the network or the pipe
   */
  send(message: RpcMessage, options?: SendOptions): Promise<void>;
  /** The legacy revision that `initialize` settled; later requests name it in a header (HTTP). */
  settled?(protocolVersion: string): void;
  /** Opens the stream for what the server says outside of any request (legacy Streamable HTTP). */
  listen?(): void;
  /** Whether a legacy MCP session is held, which the server could forget. */
  readonly hasSession: boolean;
  /** A pipe to a process tells by itself when the server is gone; HTTP does not. */
  readonly kind: "pipe" | "http";
  /** Ends it and everything behind it, within a bounded time; never rejects. */
  close(): Promise<void>;
}

/** The value of `Authorization`, asked for anew for each HTTP request: it is good for a short time. */
export type Authorize = () => Promise<string>;

export interface SendOptions {
  /** Aborting ends the request's own stream, which cancels it (2026-07-28) at the server. */
  signal?: StopSignal | undefined;
  /** Beside those that every request has. */
  headers?: Readonly<Record<string, string>> | undefined;
  /** In place of the connection's, also where the request's stream is resumed (HTTP). */
  authorize?: Authorize | undefined;
}

export interface Receiver {
  /**
   * One message of the server, checked by `readMessage` and against the message limits.
   * @param on the request on whose own stream it came; undefined for pipes and for the common stream, where
   *   nothing says to which request a message belongs
   */
  onMessage(message: RpcMessage, on: RequestId | undefined): void;
  /** The stream that was to carry the answer ended without it and cannot be resumed. */
  onStreamEnd(request: RequestId, reason: string): void;
  /** A message came that cannot be taken on (too large, too deep, not JSON): the request it belongs to fails with this. */
  onFault(request: RequestId | undefined, reason: string): void;
  /** The transport ended by itself; nothing comes after it. */
  onLost(reason: string): void;
}

/** An answer that is not 2xx. */
export class HttpStatusError extends Error {
  override readonly name = "HttpStatusError";
  readonly status: number;
  /** Lower-case names. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** At most 64 KiB of it. */
  readonly body: string;
  constructor(
    message: string,
    answer: {
      status: number;
      headers: Readonly<Record<string, string | undefined>>;
      body: string;
    },
  ) {
    super(message);
    this.status = answer.status;
    this.headers = answer.headers;
    this.body = answer.body;
  }
}

/** One HTTP request; given by the one who owns sockets, proxies and certificates. Follows no redirect. */
export type SendHttp = (request: {
  method: "GET" | "POST" | "DELETE";
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: string | undefined;
  signal: StopSignal;
}) => Promise<HttpAnswer>;

export interface HttpAnswer {
  status: number;
  /** Lower-case names. */
  headers: Readonly<Record<string, string | undefined>>;
  body: HttpBody;
}

/** An answer's body as it comes; who reads it does so once. */
export interface HttpBody extends AsyncIterable<Uint8Array> {
  /** All of it, when it has come to its end before anybody read: the common answer, read without waiting. */
  readonly whole?: Uint8Array | undefined;
}
