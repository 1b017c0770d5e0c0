import { randomUUID } from "node:crypto";
import { createServer, type Server } from "node:http";
import type { Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { Administration } from "../administration/administration.ts";
import type { AdministrationTokens } from "../auth/administration-tokens.ts";
import type { CliTokenExchange } from "../auth/cli-token-exchange.ts";
import type { Standing } from "../auth/standing.ts";
import type { MintedTokens } from "../auth/token-mint.ts";
import type { AuditSink } from "../core/audit.ts";
import type { Configuration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { createLegacySse } from "../mcp/legacy-sse.ts";
import { createMcpEndpoint } from "../mcp/mcp-endpoint.ts";
import { gatewayIdentity } from "../mcp/mcp-identity.ts";
import type { Metrics } from "../metrics/create-metrics.ts";
import { createApp } from "./create-app.ts";
import { createInFlight, stoppingError } from "./in-flight.ts";
import { listen } from "./listen.ts";
import { createOpenAnswers } from "./open-answers.ts";
import { createRefusalLog } from "./refusal-log.ts";

export interface HttpServerOptions {
  gateway: Gateway;
  /** What the local proof is good for follows from the configuration's `auth`. */
  exchange: CliTokenExchange;
  mint: MintedTokens;
  /** What is open ends with it. */
  standing: Standing;
  administration: Administration;
  /** Asked before the gateway's door where administration is asked for, and nowhere else. */
  administrationTokens: Pick<AdministrationTokens, "principalOf">;
  /** What waits to be written to the audit, and what was lost. */
  audit: Pick<AuditSink, "queued" | "dropped">;
  metrics: Metrics;
  configuration: Configuration;
  version: string;
  instanceId: string;
  logger: Logger;
}

export interface HttpServer {
  /** Where it listens, first the one to show. */
  readonly urls: readonly string[];
  readonly port: number;
  /**
   * Takes no new connections, gives calls in flight `graceMs` milliseconds, then cancels them. Resolves
   * when every connection is closed.
   */
  close(graceMs: number): Promise<void>;
}

/** Far more than people and their agents need, and fewer than would use up the files of a process. */
const mostConnections = 2_000;
/** Time for an aborted call's answer to reach its client. */
const farewellMs = 500;

/**
 * Starts listening and answers at once, whatever the upstream servers do.
 * @throws AppError `config_invalid` when the port is in use or the host cannot be listened on
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { gateway, configuration, version, logger } = options;
  const inFlight = createInFlight();
  const identity = gatewayIdentity(gateway, version);
  const newId = randomUUID;
  const mcp = createMcpEndpoint({ gateway, identity, newId, now: Date.now, logger });
  const sse = createLegacySse({ gateway, identity, newId });
  const answers = createOpenAnswers(options.standing);
  options.standing.onChanged(() => answers.standingsChanged());
  const refusals = createRefusalLog(logger, () => performance.now());
  const app = createApp({ ...options, mcp, sse, inFlight, answers, refusals });
  await app.ready();
  let closing = false;

  const create = (): Server => {
    const server = createServer(
      {
        requestTimeout: 60_000,
        headersTimeout: 20_000,
        keepAliveTimeout: 30_000,
        connectionsCheckingInterval: 5_000,
      },
      (request, response) => {
        if (!answers.begin(response)) return;
        response.once("close", () => {
          if (closing) setImmediate(() => server.closeIdleConnections());
        });
        app.routing(request, response);
      },
    );
    server.maxConnections = mostConnections;
    answers.guard(server);
    server.on("clientError", answerClientError);
    return server;
  };
  const { servers, port, urls } = await listen(configuration.host, configuration.port, create);

  return {
    urls,
    port,
    async close(graceMs) {
      closing = true;
      mcp.endStreams();
      sse.endStreams();
      const closed = Promise.all(servers.map(closeServer));
      if (!(await within(closed, graceMs))) {
        const reason = stoppingError();
        inFlight.abortAll(reason);
        mcp.cancelAll(reason);
        if (!(await within(closed, farewellMs))) {
          for (const server of servers) server.closeAllConnections();
        }
      }
      await closed;
      answers.close();
      gateway.flushRefusals();
      refusals.flush();
      mcp.close();
      await app.close();
    },
  };
}

function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    // Closes idle connections as well.
    server.close(() => resolve());
  });
}

/** Whether it is done before the time is over. */
async function within(work: Promise<unknown>, limitMs: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<boolean>((resolve) => {
    timer = setTimeout(() => resolve(false), limitMs);
  });
  try {
    return await Promise.race([work.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

const clientErrors: Readonly<Record<string, readonly [status: string, message: string]>> = {
  HPE_HEADER_OVERFLOW: [
    "431 Request Header Fields Too Large",
    "The request's headers are too large",
  ],
  ERR_HTTP_REQUEST_TIMEOUT: ["408 Request Timeout", "The request did not arrive in time"],
};

/** What is not HTTP gets an answer in it all the same, and its connection closed. */
function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === "ECONNRESET") {
    socket.destroy();
    return;
  }
  const [status, message] = clientErrors[error.code ?? ""] ?? [
    "400 Bad Request",
    "The request is not valid HTTP",
  ];
  const body = JSON.stringify(new AppError("usage", message).toBody());
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
  );
  // A client that does not close must not keep its connection by that; at once, and it might lose the answer.
  setTimeout(() => socket.destroy(), farewellMs).unref();
}
