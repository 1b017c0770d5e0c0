import type { FastifyReply } from "fastify";
import { keepsUp } from "../mcp/event-sink.ts";

/** A `text/event-stream` answer (WHATWG HTML §9.2). It begins with its first event, not before. */
export interface EventStream {
  hasBegun(): boolean;
  /** News on the way; left out while the client does not keep up. */
  send(event: string, data: unknown): void;
  /** The last event. */
  end(event: string, data: unknown): void;
}

/** Often enough for proxies that close what is silent for half a minute; milliseconds. */
const keepAliveMs = 15_000;

/** Whether the caller asked for events and for nothing simpler. */
export function wantsEvents(accept: string | undefined): boolean {
  return (
    accept !== undefined &&
    /\btext\/event-stream\b/iu.test(accept) &&
    !/\bapplication\/json\b/iu.test(accept)
  );
}

function frame(event: string, data: unknown): string {
  return `event: ${event}\ndata: ${JSON.stringify(data)}\n\n`;
}

export function createEventStream(reply: FastifyReply): EventStream {
  const { raw } = reply;
  let begun = false;
  const begin = (): void => {
    if (begun) return;
    begun = true;
    reply.hijack();
    raw.writeHead(200, { "content-type": "text/event-stream", "x-accel-buffering": "no" });
  };
  const write = (text: string): void => {
    if (!raw.destroyed && !raw.writableEnded) raw.write(text);
  };
  const keepAlive = setInterval(() => {
    begin();
    write(": still working\n\n");
  }, keepAliveMs);
  raw.once("close", () => clearInterval(keepAlive));

  return {
    hasBegun: () => begun,
    send(event, data) {
      begin();
      // For a client that does not read, nothing piles up: news is no use when it is old.
      if (keepsUp(raw)) write(frame(event, data));
    },
    end(event, data) {
      begin();
      write(frame(event, data));
      clearInterval(keepAlive);
      raw.end();
    },
  };
}
