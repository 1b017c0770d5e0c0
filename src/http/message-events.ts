import type { ServerResponse } from "node:http";
import type { RpcMessage } from "../core/json-rpc.ts";
import type { MessageStream } from "../mcp/message-stream.ts";

/** The event stream of HTTP+SSE (2024-11-05): first the address for messages, then JSON-RPC messages. */
export interface MessageEvents extends MessageStream {
  /** Sends the head and the event `endpoint`. */
  begin(endpoint: string): void;
  end(): void;
}

/** Often enough for proxies that close what is silent for half a minute; milliseconds. */
const keepAliveMs = 15_000;
/** A client that leaves more than this unread, in bytes, is not coming back for it. */
const mostUnread = 32 * 1024 * 1024;

/**
 * Writes to a client for as long as it reads: one that lets answers pile up, or has read nothing between two
 * keep-alive comments, loses its connection.
 */
export function openMessageEvents(response: ServerResponse): MessageEvents {
  let readBefore = -1;
  let keepAlive: NodeJS.Timeout | undefined;
  const write = (text: string): void => {
    if (response.destroyed || response.writableEnded) return;
    response.write(text);
    if (response.writableLength > mostUnread) response.destroy();
  };
  const look = (): void => {
    const read = (response.socket?.bytesWritten ?? 0) - response.writableLength;
    if (response.writableNeedDrain && read === readBefore) response.destroy();
    else if (!response.writableNeedDrain) write(": still here\n\n");
    readBefore = read;
  };
  response.once("close", () => clearInterval(keepAlive));

  return {
    begin(endpoint) {
      response.writeHead(200, { "content-type": "text/event-stream", "x-accel-buffering": "no" });
      write(`event: endpoint\ndata: ${endpoint}\n\n`);
      keepAlive = setInterval(look, keepAliveMs);
    },
    send(message: RpcMessage) {
      write(`event: message\ndata: ${JSON.stringify(message)}\n\n`);
    },
    keepsUp: () => !response.writableNeedDrain,
    end() {
      response.end();
    },
  };
}
