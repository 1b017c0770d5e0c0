import { setImmediate as nextTurn } from "node:timers/promises";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { FetchLike } from "@modelcontextprotocol/client";
import { Agent, fetch } from "undici";
import type { RequestInit as UndiciRequestInit } from "undici";
import type { HttpServerConfiguration } from "../core/configuration.ts";
import { createValueCounter, messageLimits } from "../mcp-client/message-limits.ts";

const connectMs = 10_000;
/** Bytes of an event stream looked at before the other servers have their turn. */
const bytesPerTurn = 8 * 1024;
/** Answers to requests of the server under way at once; each is an HTTP request of its own. */
const mostUnreadReplies = 100;

export interface HttpTransport {
  transport: StreamableHTTPClientTransport;
  /** Ends the MCP session where there is one, closes every connection; bounded, never rejects. */
  close: () => Promise<void>;
}

/**
 * MCP over Streamable HTTP to the configured URL, with the configured headers. The SDK follows redirects
 * within the origin only, so the headers never reach another one. undici in place of the built-in
 * fetch because that one gives up on an answer after five minutes of silence, which a slow tool or a
 * quiet event stream may well take; the limits of calls are set where they are made.
 */
export function createHttpTransport(
  configuration: HttpServerConfiguration,
  goodbyeMs: number,
): HttpTransport {
  const agent = new Agent({ headersTimeout: 0, bodyTimeout: 0, connect: { timeout: connectMs } });
  const request: FetchLike = async (url, init) => {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- undici is what the built-in fetch is made of; only their types differ
    const response = await fetch(url, { ...(init as UndiciRequestInit), dispatcher: agent });
    return limitBody(response);
  };
  const transport = new StreamableHTTPClientTransport(new URL(configuration.url), {
    requestInit: { headers: { ...configuration.headers } },
    fetch: request,
  });
  limitReplies(transport);
  return {
    transport,
    async close() {
      let timer: NodeJS.Timeout | undefined;
      const goodbye = transport.terminateSession().catch(() => undefined);
      const limit = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, goodbyeMs);
      });
      await Promise.race([goodbye, limit]);
      clearTimeout(timer);
      await transport.close().catch(() => undefined);
      await agent.destroy().catch(() => undefined);
    },
  };
}

/** A server that asks faster than it takes the answers gets no more of them. */
function limitReplies(transport: StreamableHTTPClientTransport): void {
  const send = transport.send.bind(transport);
  let replies = 0;
  transport.send = async (message, options) => {
    if (Array.isArray(message) || "method" in message) return send(message, options);
    if (replies === mostUnreadReplies) throw new Error("It does not take its answers");
    replies++;
    try {
      await send(message, options);
    } finally {
      replies--;
    }
  };
}

/**
 * Fails a body whose one message grows beyond the limits, before it fills the memory; and hands on an
 * event stream in small pieces, a turn for each.
 */
function limitBody(response: Response): Response {
  if (response.body === null) return response;
  const streamed = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  const values = createValueCounter(messageLimits.values);
  let bytes = 0;
  const add = (piece: Buffer): void => {
    // An empty line ends an event, and with it the message. (A boundary cut in two by the pieces is
    // missed; then two messages share one limit.)
    const boundary = streamed
      ? Math.max(piece.lastIndexOf("\n\n"), piece.lastIndexOf("\r\n\r\n"))
      : -1;
    if (boundary !== -1) {
      bytes = 0;
      values.reset();
    }
    const rest = boundary === -1 ? piece : piece.subarray(boundary);
    bytes += rest.length;
    if (bytes > messageLimits.bytes) {
      throw new Error(`it sent a message of more than ${messageLimits.bytes / 1024 ** 2} MiB`);
    }
    if (!values.add(rest)) {
      throw new Error(`it sent a message of more than ${messageLimits.values} values`);
    }
  };
  const limited = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      async transform(chunk, controller) {
        const all = Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
        const size = streamed ? bytesPerTurn : all.length;
        for (let from = 0; from < all.length; from += size) {
          const piece = all.subarray(from, from + size);
          add(piece);
          controller.enqueue(piece);
          if (from + size < all.length) await nextTurn();
        }
      },
    }),
  );
  return new Response(limited, {
    status: response.status,
    statusText: response.statusText,
    headers: response.headers,
  });
}
