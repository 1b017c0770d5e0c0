import type { ServerResponse } from "node:http";
import type { RpcMessage } from "../core/json-rpc.ts";
import { eventFrame, eventStreamHeaders, keepAlive, keepsUp, writeTo } from "../mcp/event-sink.ts";
import type { MessageStream } from "../mcp/message-stream.ts";

/** The event stream of HTTP+SSE (2024-11-05): first the address for messages, then JSON-RPC messages. */
export interface MessageEvents extends MessageStream {
  /** Sends the head and the event `endpoint`. */
  begin(endpoint: string): void;
  end(): void;
}

/** Often enough for proxies that close what is silent for half a minute; milliseconds. */
const keepAliveMs = 15_000;

/** Writes to a client for as long as it reads: one that lets answers pile up loses its connection. */
export function openMessageEvents(response: ServerResponse): MessageEvents {
  return {
    begin(endpoint) {
      response.writeHead(200, eventStreamHeaders);
      writeTo(response, `event: endpoint\ndata: ${endpoint}\n\n`);
      keepAlive(response, keepAliveMs);
    },
    send(message: RpcMessage) {
      writeTo(response, eventFrame(JSON.stringify(message)));
    },
    keepsUp: () => keepsUp(response),
    end() {
      response.end();
    },
  };
}
