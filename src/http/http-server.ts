import { createServer, type RequestListener, type Server } from "node:http";
import type { Standing } from "../auth/standing.ts";
import type { Configuration } from "../core/configuration.ts";
import { answerClientError, farewellMs } from "./answer-client-error.ts";
import type { Answerer } from "./answerer.ts";
import { GatewayResponse } from "./gateway-response.ts";
import { stoppingError } from "./in-flight.ts";
import { listen } from "./listen.ts";
import { createOpenAnswers } from "./open-answers.ts";
import type { OpenAnswers } from "./open-answers.ts";
import { createRequestGuard } from "./request-guard.ts";
import type { TlsServersOptions } from "./tls-servers.ts";
import { createWaitingRoom } from "./waiting-room.ts";

/** What concerns TLS is asked for with `tls` alone. */
export interface HttpServerOptions extends TlsServersOptions {
  configuration: Configuration;
}

export interface HttpServer {
  /** Where it listens, first the one to show. */
  readonly urls: readonly string[];
  /** Literal loopback addresses, for the programs of this machine, first the one to use; none where there are none. */
  readonly localUrls: readonly string[];
  readonly port: number;
  /** Of the certificate that is shown, as `onCertificates` tells them; empty without `tls`. */
  readonly certificates: readonly string[];
  /** Over all its connections. */
  readonly answers: OpenAnswers;
  /**
   * To be called once: from then on this answers, first what has come until then and waits.
   * @param standing what stays open ends with it
   */
  attach(standing: Pick<Standing, "renew">, app: Answerer): void;
  /**
   * Takes no new connections, gives calls in flight `graceMs` milliseconds, then cancels them. What still
   * waits for the app is refused. Resolves when every connection is closed; again, for whoever calls it again.
   */
  close(graceMs: number): Promise<void>;
}

/** Far more than people and their agents need, and fewer than would use up the files of a process. */
const mostConnections = 2_000;
const limits = {
  requestTimeout: 60_000,
  headersTimeout: 20_000,
  keepAliveTimeout: 30_000,
  connectionsCheckingInterval: 5_000,
  // A bearer of 16 KiB and more is to be refused as a bearer.
  maxHeaderSize: 32 * 1024,
  ServerResponse: GatewayResponse,
};

/**
 * Opens the port. Until the app is attached, a request is told that the gateway lives, or waits.
 * @throws AppError `config_invalid` when the port is in use, the host cannot be listened on, or `tls` names files
 *   that are no certificate and its key
 */
export async function openHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { configuration } = options;
  const waitingRoom = createWaitingRoom(createRequestGuard(configuration));
  let answerer: Answerer = waitingRoom;
  let standing: Pick<Standing, "renew"> | undefined;
  // Before the app is there nobody is let in.
  const answers = createOpenAnswers({ renew: (principal) => standing?.renew(principal) });
  let closing = false;
  // Most have none, and Node's TLS takes its time to load.
  const tls =
    configuration.tls &&
    (await (await import("./tls-servers.ts")).createTlsServers(configuration.tls, options));
  const create = (): Server => {
    const closed = (): void => {
      if (closing) setImmediate(() => server.closeIdleConnections());
    };
    const listener: RequestListener = (request, response) => {
      if (answers.begin(response, closed)) answerer.answer(request, response);
    };
    const server = tls?.create(limits, listener) ?? createServer(limits, listener);
    server.maxConnections = mostConnections;
    answers.guard(server);
    server.on("clientError", answerClientError);
    return server;
  };
  const { host, port: wanted } = configuration;
  const { servers, port, urls, localUrls } = await listen(
    host,
    wanted,
    create,
    tls === undefined ? "http" : "https",
  ).catch((error: unknown) => {
    tls?.close();
    answers.close();
    throw error;
  });
  const end = async (graceMs: number): Promise<void> => {
    closing = true;
    tls?.close();
    answerer.endStreams();
    const closed = Promise.all(servers.map(closeServer));
    tls?.closeUnfinished();
    if (!(await within(closed, graceMs))) {
      answerer.cancelAll(stoppingError());
      if (!(await within(closed, farewellMs))) {
        for (const server of servers) server.closeAllConnections();
      }
    }
    await closed;
    answers.close();
    await answerer.close();
  };
  let ended: Promise<void> | undefined;
  return {
    urls,
    localUrls,
    port,
    answers,
    get certificates() {
      return tls?.certificates ?? [];
    },
    attach(whoStands, app) {
      standing = whoStands;
      answerer = app;
      waitingRoom.empty(app);
    },
    close: (graceMs) => (ended ??= end(graceMs)),
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
