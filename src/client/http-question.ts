import type { Agent as HttpAgent } from "node:http";
import type { Agent as HttpsAgent } from "node:https";

export interface HttpQuestion {
  url: string;
  method?: string | undefined;
  headers?: Readonly<Record<string, string>> | undefined;
  /** Sent as it is, with its length. */
  body?: string | Uint8Array | undefined;
  /** The one deadline; it covers the body of the answer too. */
  signal: AbortSignal;
  /** Connections to share between several questions; without it each has its own, closed after it. */
  connections?: SharedConnections | undefined;
}

/** The head of an answer; whoever asked reads the body. */
export interface HttpAnswer {
  status: number;
  /** Lower-case names; what came several times is one value (`singleHeaders`). */
  headers: Readonly<Record<string, string | undefined>>;
  /** Fails when the connection ends before it does, or the question's signal is aborted. To stop reading ends it. */
  body: AsyncIterable<Uint8Array>;
  /** Ends the connection, for who does not read the body. */
  destroy(): void;
}

/** Connections to one server through one proxy. */
export interface ProxiedHttp {
  /** @throws AppError `unreachable` (the proxy, or the server behind it); anything when the signal is aborted */
  ask(question: HttpQuestion, onClose?: () => void): Promise<HttpAnswer>;
  /** Ends them all, those that are being made as well. */
  destroy(): void;
}

/** Connections to servers of one scheme; destroy them when the conversation is over. */
export interface SharedConnections {
  /** How many there may be to one server at once. */
  readonly maxSockets: number;
  readonly direct: HttpAgent | HttpsAgent;
  /** Those through a proxy, by the target's origin. */
  readonly proxied: Map<string, ProxiedHttp>;
  destroy(): void;
}
