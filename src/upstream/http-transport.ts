import { StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { FetchLike } from "@modelcontextprotocol/client";
import { Agent, fetch } from "undici";
import type { RequestInit as UndiciRequestInit } from "undici";
import type { HttpServerConfiguration } from "../core/configuration.ts";
import { largestMessageBytes } from "./timings.ts";

const connectMs = 10_000;

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

/** Fails a body whose one message grows beyond the limit, before it fills the memory. */
function limitBody(response: Response): Response {
  if (response.body === null) return response;
  const length = Number(response.headers.get("content-length") ?? Number.NaN);
  // The length of a compressed body says nothing about what it unpacks to.
  const honest = !response.headers.has("content-encoding");
  if (honest && length <= largestMessageBytes) return response;
  const streamed = response.headers.get("content-type")?.startsWith("text/event-stream") ?? false;
  let bytes = 0;
  const limited = response.body.pipeThrough(
    new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        const end = streamed
          ? Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length)
          : undefined;
        // An empty line ends an event, and with it the message. (A boundary cut in two by the chunks
        // is missed; then two messages share one limit.)
        const boundary = Math.max(
          end?.lastIndexOf("\n\n") ?? -1,
          end?.lastIndexOf("\r\n\r\n") ?? -1,
        );
        bytes = boundary === -1 ? bytes + chunk.length : chunk.length - boundary;
        if (bytes > largestMessageBytes) {
          controller.error(new Error(`a message of more than ${largestMessageBytes} bytes`));
        } else controller.enqueue(chunk);
      },
    }),
  );
  return new Response(limited, {
    status: response.status,
    statusText: response.statusText,
    headers: response.headers,
  });
}
