import type { ServerResponse } from "node:http";

/** A `text/event-stream` (WHATWG HTML §9.2) that carries JSON-RPC messages, open for writing. */
export interface EventSink {
  /** @param text the message as JSON */
  write(text: string): void;
  keepsUp(): boolean;
  /** The last message was written. */
  end(): void;
}

export const eventStreamHeaders: Readonly<Record<string, string>> = {
  "content-type": "text/event-stream",
  // Some proxies hold a stream back to compress it.
  "x-accel-buffering": "no",
};

export function eventFrame(text: string, id?: string): string {
  return `event: message\n${id === undefined ? "" : `id: ${id}\n`}data: ${text}\n\n`;
}

/** Writes what is no message, again and again, so that nobody on the way takes the stream for dead. */
export function keepAlive(response: ServerResponse, everyMs: number): void {
  const timer = setInterval(() => {
    if (canWrite(response) && !response.writableNeedDrain) response.write(": still here\n\n");
  }, everyMs).unref();
  response.once("close", () => clearInterval(timer));
}

/** News waits for a client up to this, in bytes: more than servers say at once, less than would ever hurt. */
const mostNews = 1024 * 1024;

/** Whether the client reads, or has not had time to. */
export function keepsUp(response: ServerResponse): boolean {
  return canWrite(response) && response.writableLength < mostNews;
}

/** A client that leaves more than this unread, in bytes, is not coming back for it. */
const mostUnread = 32 * 1024 * 1024;

/** Writes for as long as the client reads. */
export function writeTo(response: ServerResponse, text: string): void {
  if (!canWrite(response)) return;
  response.write(text);
  if (response.writableLength > mostUnread) response.destroy();
}

export function canWrite(response: ServerResponse): boolean {
  return !response.destroyed && !response.writableEnded;
}

/** A stream that ends with its connection. Its head is written. */
export function createEventSink(response: ServerResponse, keepAliveMs: number): EventSink {
  keepAlive(response, keepAliveMs);
  return {
    write(text) {
      writeTo(response, eventFrame(text));
    },
    keepsUp: () => keepsUp(response),
    end() {
      if (canWrite(response)) response.end();
    },
  };
}
