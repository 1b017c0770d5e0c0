import { randomUUID } from "node:crypto";
import { createServer, type RequestListener, type Server } from "node:http";
import { performance } from "node:perf_hooks";
import type { Administration } from "../administration/administration.ts";
import type { AdministrationTokens } from "../auth/administration-tokens.ts";
import type { CliTokenExchange } from "../auth/cli-token-exchange.ts";
import type { Door } from "../auth/door.ts";
import type { IdentityTokens } from "../auth/identity-tokens.ts";
import type { PasswordSignIn } from "../auth/password-sign-in.ts";
import type { Standing } from "../auth/standing.ts";
import type { MintedTokens } from "../auth/token-mint.ts";
import type { AuditSink } from "../core/audit.ts";
import type { Configuration, TlsConfiguration } from "../core/configuration.ts";
import type { ConfigurationStatus } from "../core/configuration-status.ts";
import type { Logger } from "../core/logger.ts";
import type { TlsMaterial } from "../core/tls-material.ts";
import type { Gateway } from "../gateway/gateway.ts";
import type { PinApprovals } from "../gateway/pin-approvals.ts";
import { createLegacySse } from "../mcp/legacy-sse.ts";
import { createMcpEndpoint } from "../mcp/mcp-endpoint.ts";
import { gatewayIdentity } from "../mcp/mcp-identity.ts";
import type { Metrics } from "../metrics/create-metrics.ts";
import { answerClientError, answerPlainHttp, farewellMs } from "./answer-client-error.ts";
import { createApp } from "./create-app.ts";
import { createTlsServer } from "./create-tls-server.ts";
import type { TlsServer } from "./create-tls-server.ts";
import { createInFlight, stoppingError } from "./in-flight.ts";
import { keepCertificate } from "./keep-certificate.ts";
import { listen } from "./listen.ts";
import { createOpenAnswers } from "./open-answers.ts";
import { createRefusalLog } from "./refusal-log.ts";
import { createStandingOf } from "./standing-of.ts";

export interface HttpServerOptions {
  gateway: Gateway;
  /** What the local proof is good for follows from the configuration's `auth`. */
  exchange: CliTokenExchange;
  mint: MintedTokens;
  /** What is open ends with it. */
  standing: Standing;
  /** Ends tokens where they were made. */
  door: Pick<Door, "revoke">;
  /** Who is asked at `POST /auth/login` now; undefined: there is no sign-in with a password. */
  signIn: () => PasswordSignIn | undefined;
  /** `NODE_ENV=development`: opens `/debug/*` to programs of this machine. */
  development: boolean;
  /** What servers offer that waits for an approval; undefined: nothing of it is remembered. */
  approvals?: PinApprovals | undefined;
  administration: Administration;
  /** Asked before the gateway's door where administration is asked for, and nowhere else. */
  administrationTokens: Pick<AdministrationTokens, "principalOf">;
  /** What waits to be written to the audit, and what was lost. */
  audit: Pick<AuditSink, "queued" | "dropped" | "append">;
  metrics: Metrics;
  configuration: Configuration;
  /** What is known of its file; undefined: there is none to ask about. */
  configurationStatus?: (() => ConfigurationStatus) | undefined;
  version: string;
  instanceId: string;
  logger: Logger;
  /** By which upstream servers verify on whose behalf they are asked; absent: there are no such tokens. */
  identityTokens?: Pick<IdentityTokens, "keys"> | undefined;
  /** Reads the files of `tls`, at the start and when they have changed. @throws AppError `config_invalid` */
  readTls: (files: TlsConfiguration) => Promise<TlsMaterial>;
  /**
   * With `tls`: told the fingerprints of the certificates that may be shown from then on, before another is shown
   * for the first time, and once the one before is shown no more.
   */
  onCertificates?: ((fingerprints: readonly string[]) => Promise<void>) | undefined;
  /** How often to look whether the files of `tls` have changed, in milliseconds. */
  certificateLookMs?: number | undefined;
}

export interface HttpServer {
  /** Where it listens, first the one to show. */
  readonly urls: readonly string[];
  /** Literal loopback addresses, for the programs of this machine, first the one to use; none where there are none. */
  readonly localUrls: readonly string[];
  readonly port: number;
  /** Of the certificate that is shown, as `onCertificates` tells them; empty without `tls`. */
  readonly certificates: readonly string[];
  /**
   * Takes no new connections, gives calls in flight `graceMs` milliseconds, then cancels them. Resolves
   * when every connection is closed.
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
};

/**
 * Starts listening and answers at once, whatever the upstream servers do.
 * @throws AppError `config_invalid` when the port is in use, the host cannot be listened on, or `tls` names files
 *   that are no certificate and its key
 */
export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { gateway, configuration, version, logger } = options;
  const inFlight = createInFlight();
  const identity = gatewayIdentity(gateway, version);
  const newId = randomUUID;
  const standingOf = createStandingOf(options.standing, Date.now);
  const mcp = createMcpEndpoint({ gateway, identity, newId, now: Date.now, logger, standingOf });
  const sse = createLegacySse({ gateway, identity, newId });
  const answers = createOpenAnswers(options.standing);
  options.standing.onChanged(() => {
    answers.standingsChanged();
    mcp.standingsChanged();
  });
  const refusals = createRefusalLog({
    logger,
    now: () => performance.now(),
    trustedProxies: configuration.trustedProxies,
  });
  const app = createApp({ ...options, mcp, sse, inFlight, answers, refusals });
  await app.ready();
  let closing = false;

  let material: TlsMaterial | undefined;
  if (configuration.tls !== undefined) material = await options.readTls(configuration.tls);
  const secured: TlsServer[] = [];

  const bare = (listener: RequestListener): Server => {
    if (material === undefined) return createServer(limits, listener);
    const tls = createTlsServer(material, limits, listener, answerPlainHttp);
    secured.push(tls);
    return tls.server;
  };
  const create = (): Server => {
    const closed = (): void => {
      if (closing) setImmediate(() => server.closeIdleConnections());
    };
    const server = bare((request, response) => {
      if (answers.begin(response, closed)) app.routing(request, response);
    });
    server.maxConnections = mostConnections;
    answers.guard(server);
    server.on("clientError", answerClientError);
    return server;
  };
  const { servers, port, urls, localUrls } = await listen(
    configuration.host,
    configuration.port,
    create,
    material === undefined ? "http" : "https",
  );
  /** That local programs cannot be told must not keep an old certificate in use. */
  const tellOf = async (fingerprints: readonly string[]): Promise<void> => {
    try {
      await options.onCertificates?.(fingerprints);
    } catch (error) {
      logger.warn("The commands on this machine were not told of the changed TLS certificate", {
        reason: error instanceof Error ? error.message : String(error),
      });
    }
  };
  const certificate =
    configuration.tls === undefined || material === undefined
      ? undefined
      : keepCertificate({
          files: configuration.tls,
          read: options.readTls,
          first: material,
          logger,
          now: Date.now,
          lookMs: options.certificateLookMs,
          async use(next, before) {
            await tellOf([next.fingerprint, before.fingerprint]);
            for (const tls of secured) tls.use(next);
            material = next;
            await tellOf([next.fingerprint]);
          },
        });
  return {
    urls,
    localUrls,
    port,
    get certificates() {
      return material === undefined ? [] : [material.fingerprint];
    },
    async close(graceMs) {
      closing = true;
      certificate?.close();
      mcp.endStreams();
      sse.endStreams();
      const closed = Promise.all(servers.map(closeServer));
      for (const tls of secured) tls.closeUnfinished();
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
