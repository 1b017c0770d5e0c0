import type { IncomingMessage, ServerResponse } from "node:http";
import type { AppError } from "../core/errors.ts";

/** What answers the requests that come to a port. */
export interface Answerer {
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** No more requests come: ends what would stay open for as long as its client likes. */
  endStreams(): void;
  /** Cancels what is still running. */
  cancelAll(reason: AppError): void;
  /** Nothing is open any more. */
  close(): Promise<void>;
}
