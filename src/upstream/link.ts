import type { Transport } from "@modelcontextprotocol/client";
import type { ServerConfiguration } from "../core/configuration.ts";
import { createHttpTransport } from "./http-transport.ts";
import type { LineTail } from "./line-tail.ts";
import { StdioTransport } from "./stdio-transport.ts";
import type { UpstreamTimings } from "./timings.ts";

/** The way messages travel to one upstream server, stdio or HTTP, as a connection sees it. */
export interface Link {
  readonly transport: Transport;
  /** Whether the legacy handshake was begun: until then only the modern era was asked for. */
  readonly sentInitialize: boolean;
  /** Whether an MCP session is held, which the server could forget. */
  readonly hasSession: boolean;
  /** The link could be made at all: the process was started. HTTP shows itself at the first request. */
  readonly established: boolean;
  /** Why it ended by itself, once `lost` has resolved. HTTP links are never lost by themselves. */
  readonly lossReason: string | undefined;
  readonly lost: Promise<string>;
  /** Ends it and everything behind it, within a bounded time. */
  close(): Promise<void>;
}

export function openLink(
  configuration: ServerConfiguration,
  tail: LineTail,
  timings: UpstreamTimings,
): Link {
  if (configuration.type === "http") {
    const { transport, close } = createHttpTransport(configuration, timings.stdinGraceMs);
    const handshake = noticeInitialize(transport);
    return {
      transport,
      get sentInitialize() {
        return handshake.begun;
      },
      get hasSession() {
        return transport.sessionId !== undefined;
      },
      established: true,
      lossReason: undefined,
      lost: new Promise(() => undefined),
      close,
    };
  }
  const transport = new StdioTransport(configuration, tail, timings);
  const handshake = noticeInitialize(transport);
  return {
    transport,
    get sentInitialize() {
      return handshake.begun;
    },
    hasSession: false,
    get established() {
      return transport.pid !== null;
    },
    get lossReason() {
      return transport.lossReason;
    },
    lost: transport.lost,
    close: () => transport.close(),
  };
}

function noticeInitialize(transport: Transport): { readonly begun: boolean } {
  const handshake = { begun: false };
  const send = transport.send.bind(transport);
  transport.send = (message, options) => {
    if ("method" in message && message.method === "initialize") handshake.begun = true;
    return send(message, options);
  };
  return handshake;
}
