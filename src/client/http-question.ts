import type { Agent as HttpAgent, IncomingHttpHeaders } from "node:http";
import type { Agent as HttpsAgent } from "node:https";
import type { ProxiedHttp } from "./proxied-http.ts";

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
  /** Lower-case names; what came several times is one value (RFC 9110 §5.3), but for `set-cookie`. */
  headers: IncomingHttpHeaders;
  /** Fails when the connection ends before it does, or the question's signal is aborted. To stop reading ends it. */
  body: AsyncIterable<Uint8Array>;
  /** Ends the connection, for who does not read the body. */
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
