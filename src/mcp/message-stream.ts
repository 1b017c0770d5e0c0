import type { InsufficientScope } from "../core/insufficient-scope.ts";
import type { RpcMessage } from "../core/json-rpc.ts";

/** A way of messages to one client: the answer to one POST, a GET stream, a pipe. */
export interface MessageStream {
  /**
   * Writes the message, in order. Never throws; what comes after the end of the stream is dropped.
   * @param refusal why a request was not served, for a stream whose head can say so as well
   */
  send(message: RpcMessage, refusal?: InsufficientScope): void;
  /** Whether the client reads as fast as it is written to. */
  keepsUp(): boolean;
  /** Whether a connection carries it now; absent: as long as it is there. */
  isConnected?(): boolean;
}

/** For a client that does not read, nothing piles up: news is no use when it is old. */
export function sendNews(stream: MessageStream, message: RpcMessage): void {
  if (stream.keepsUp()) stream.send(message);
}
