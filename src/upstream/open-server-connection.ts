import type { Caller } from "../core/client-port.ts";
import type { JsonObject } from "../core/json.ts";
import type { Listing } from "../core/mcp.ts";
import { headerDeclarationFault } from "../core/parameter-headers.ts";
import { OpenFault } from "../mcp-client/mcp-connection.ts";
import type { McpConnection, RequestListener } from "../mcp-client/mcp-connection.ts";
import { openMcpConnection } from "../mcp-client/open-mcp-connection.ts";
import { createConnectionListing } from "./connection-listing.ts";
import type { ConnectionListing } from "./connection-listing.ts";
import { describeFailure } from "./failure-reason.ts";
import type { LineTail } from "./line-tail.ts";
import type { Links } from "./link.ts";
import { OpeningError } from "./opening-error.ts";
import { untilAborted } from "./patience.ts";
import { createQuestions } from "./questions.ts";
import { createServerConnection } from "./server-connection.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { UpstreamTimings } from "./timings.ts";

/** What does not change from one connection to the same server to the next. */
export interface ServerContext {
  name: string;
  links: Links;
  version: string;
  timings: UpstreamTimings;
  tail: LineTail;
  /** Takes this server's secrets out of a text. */
  scrub: (text: string) => string;
  /** Something worth a line in the log. */
  onProblem: (problem: string) => void;
}

export interface OpeningOptions {
  /** "legacy": begin with `initialize`, without asking for the modern era first. */
  mode: "auto" | "legacy";
  /** Declared for the whole connection (legacy). */
  capabilities: JsonObject;
  /** Whether everything is listed before the connection counts as open. */
  list: boolean;
  /** Of a connection that is one client's: on whose behalf all on it is done. Absent: on the gateway's. */
  whose?: (() => Caller | undefined) | undefined;
  /** What is equal to a part of this is kept as that part. */
  reference: () => Listing;
  /** Aborts the opening. */
  signal: AbortSignal;
  /** The server announced a change and was listed again. @param changed whether this listing changed */
  onRelisted: (changed: boolean) => void;
  /** `notifications/resources/updated`, wherever it came. */
  onResourceUpdated: (params: JsonObject) => void;
  /** The other notifications on no request's own stream. */
  onNotification: (method: string, params: JsonObject) => void;
  /** Requests on no request's own stream. Absent: refused. */
  onRequest?: RequestListener | undefined;
}

/** Opens a connection and settles the protocol era. @throws OpeningError */
export async function openServerConnection(
  context: ServerContext,
  options: OpeningOptions,
): Promise<ServerConnection> {
  const { links, timings, scrub } = context;
  const link = links.open(context.tail, options.whose);
  const questions = createQuestions();
  const { onRequest } = options;
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), timings.startMs);
  const signal = AbortSignal.any([options.signal, limit.signal]);
  let listing: ConnectionListing | undefined;
  const hearForAll = (method: string, params: JsonObject): boolean => {
    if (method === "notifications/resources/updated") options.onResourceUpdated(params);
    else if (listing?.hear(method) !== true) return false;
    return true;
  };
  let connection: McpConnection | undefined;
  try {
    connection = await openMcpConnection({
      transport: link.transport,
      clientInfo: { name: "onedoor", version: context.version },
      capabilities: options.capabilities,
      mode: options.mode,
      probeMs: timings.probeMs,
      signal,
      onNotification(method, params) {
        if (!hearForAll(method, params)) options.onNotification(method, params);
      },
      ...(onRequest !== undefined && {
        onRequest: (method, params, cancelled) =>
          questions.put(undefined, () => onRequest(method, params, cancelled)),
      }),
    });
    const opened = connection;
    listing = createConnectionListing({
      serverCapabilities: opened.capabilities,
      faultOf:
        opened.era === "modern" && link.transport.kind === "http"
          ? ({ inputSchema }) => headerDeclarationFault(inputSchema)
          : undefined,
      fetch: (method, params, stop, declared) =>
        opened.request(method, params, { signal: stop, capabilities: declared }),
      timings,
      reference: options.reference,
      scrub,
      onRelisted: options.onRelisted,
      onProblem: context.onProblem,
    });
    const server = createServerConnection({
      name: context.name,
      connection,
      link,
      listing,
      questions,
      timings,
      scrub,
      hearForAll,
      onProblem: context.onProblem,
    });
    if (options.list) {
      // What changes between the two is announced.
      await untilAborted(server.listening, signal);
      await untilAborted(server.list(), signal);
    }
    return server;
  } catch (error) {
    const reason = limit.signal.aborted
      ? `it did not finish starting within ${timings.startMs / 1000} s`
      : (link.lossReason ?? describeFailure(error));
    const inProbe = error instanceof OpenFault && error.inProbe;
    const endedInProbe = inProbe && link.diedByItself;
    listing?.stop();
    await (connection ?? link.transport).close();
    throw new OpeningError(scrub(reason), { inProbe, endedInProbe, cause: error });
  } finally {
    clearTimeout(timer);
  }
}
