import { randomBytes, randomUUID } from "node:crypto";
import { userInfo } from "node:os";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { createAdministration } from "../../administration/create-administration.ts";
import { createServerHistory } from "../../administration/server-history.ts";
import { createAdministrationTokens } from "../../auth/administration-tokens.ts";
import { createAnonymousAuthenticator } from "../../auth/anonymous-authenticator.ts";
import type { Authenticator } from "../../auth/authenticator.ts";
import { createCliTokenExchange } from "../../auth/cli-token-exchange.ts";
import { openDirectory } from "../../auth/directory.ts";
import type { Directory } from "../../auth/directory.ts";
import { createDoor } from "../../auth/door.ts";
import { createLocalAuthenticator } from "../../auth/local-authenticator.ts";
import { createStaticTokenAuthenticator } from "../../auth/static-token-authenticator.ts";
import { createTokenMint } from "../../auth/token-mint.ts";
import type { TokenEvent } from "../../auth/token-mint.ts";
import { writeServerEntry } from "../../config/edit-configuration.ts";
import type { AuditSink } from "../../core/audit.ts";
import type { AuthConfiguration, Configuration } from "../../core/configuration.ts";
import { createCallLimits } from "../../core/create-call-limits.ts";
import { AppError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { isLoopbackHost } from "../../core/url.ts";
import { version } from "../../core/version.ts";
import { createGateway } from "../../gateway/create-gateway.ts";
import { startHttpServer } from "../../http/http-server.ts";
import { createMetrics } from "../../metrics/create-metrics.ts";
import { removeRuntimeFile, writeRuntimeFile } from "../../runtime/runtime-file.ts";
import { isLoopbackUrl } from "../../runtime/runtime-record.ts";
import { createAuditRetention } from "../../storage/audit-retention.ts";
import { createAuditSink } from "../../storage/audit-sink.ts";
import { openSqliteStorage } from "../../storage/sqlite/sqlite-storage.ts";
import { createUpstreamPool } from "../../upstream/upstream-pool.ts";
import { holdBack } from "./held-logger.ts";
import { makeStateDirectory } from "./state-directory.ts";
import { unknownOrganizations } from "./unknown-organizations.ts";
import { whoGetsIn } from "./who-gets-in.ts";

export interface GatewayProcess {
  /** Where it listens, without a path. */
  readonly urls: readonly string[];
  /** A changed configuration: servers, rate limit and age of audit rows are in effect from then on, the rest at the next start. */
  apply(configuration: Configuration): void;
  /** Ends everything in order; calls in flight get 5 s. Resolves when nothing is left. */
  close(): Promise<void>;
}

export interface StartOptions {
  configuration: Configuration;
  /** Where the configuration is, or would be. */
  file: string;
  stateDir: string;
  /** `NODE_ENV=development`. */
  development: boolean;
  logger: Logger;
}

const graceMs = 5_000;
const maxQueuedAuditEvents = 10_000;
/** Of the 100 ms that may be missing after a kill; the rest is for a cold machine to write in. */
const auditBatchMs = 20;

/**
 * Builds the gateway of its parts and starts it: storage (and with it the state directory's lock), directory, door,
 * upstream servers, HTTP, runtime file. What was started is ended again when a later part fails.
 * @throws AppError `config_invalid`: the directory is another gateway's or open to others, the port is taken, a rule is broken
 */
export async function startGateway(options: StartOptions): Promise<GatewayProcess> {
  const { stateDir, development, logger: log } = options;
  const { logger, release } = holdBack(log);
  let { configuration } = options;
  const loopback = isLoopbackHost(configuration.host);
  if (development && !loopback) {
    throw new AppError(
      "config_invalid",
      `NODE_ENV=development is refused on ${configuration.host}`,
      {
        hint: "unset NODE_ENV, or listen on 127.0.0.1",
      },
    );
  }
  const owner = ownerName();

  /** What has to be ended, in the order of its start. */
  const started: (() => Promise<void>)[] = [];
  const close = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const end of started.splice(0).toReversed()) {
      await end().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  };

  try {
    await makeStateDirectory(stateDir);
    const storage = await openSqliteStorage({
      file: join(stateDir, "onedoor.db"),
      lockFile: join(stateDir, "gateway.lock"),
      now: Date.now,
      newId: randomUUID,
      logger,
      // scripts/build.mjs puts it there.
      workerUrl: new URL("./storage-worker.js", import.meta.url),
    });
    started.push(() => storage.close());
    const audit = createAuditSink({
      storage,
      logger,
      now: Date.now,
      maxQueued: maxQueuedAuditEvents,
      batchMs: auditBatchMs,
    });
    started.push(() => audit.flush());

    const retention = createAuditRetention({
      storage,
      logger,
      now: Date.now,
      days: () => configuration.auditRetentionDays,
    });
    started.push(async () => retention.close());
    const directory = await openDirectory({ storage, now: Date.now, newId: randomUUID });
    const serverHistory = createServerHistory({
      storage,
      now: Date.now,
      newId: randomUUID,
      logger,
      writeEntry: (name, entry) => writeServerEntry(options.file, name, entry),
    });

    const { instanceId } = storage;
    const secret = randomBytes(32).toString("base64url");
    const mint = createTokenMint({
      directory,
      now: Date.now,
      newId: randomUUID,
      randomBytes,
      report: (event) => {
        reportTokenEvent(event, audit, logger);
      },
    });
    const administrationTokens = createAdministrationTokens({
      now: Date.now,
      newId: randomUUID,
      randomBytes,
      owner,
    });
    const metrics = createMetrics({ version, nodeVersion: process.version });
    const pool = createUpstreamPool({
      servers: configuration.servers,
      logger,
      now: Date.now,
      version,
    });
    started.push(() => pool.close());
    const gateway = createGateway({
      door: createDoor(configuration.auth.map((entry) => authenticatorOf(entry, directory))),
      pool,
      servers: () => configuration.servers,
      auth: configuration.auth,
      audit,
      limits: createCallLimits({
        configuration: () => configuration.rateLimit,
        monotonicMs: () => performance.now(),
      }),
      metrics,
      now: Date.now,
      newId: randomUUID,
      randomBytes,
      logger,
    });
    started.push(() => {
      gateway.close();
      return Promise.resolve();
    });
    const exchange = createCliTokenExchange({
      secret,
      instanceId,
      mint: configuration.auth.some(({ type }) => type === "local") ? mint : undefined,
      administrationTokens,
      now: Date.now,
      random: randomBytes,
      owner,
    });
    const administration = createAdministration({
      directory,
      storage,
      serverHistory,
      now: Date.now,
      newId: randomUUID,
      randomBytes,
    });
    const server = await startHttpServer({
      gateway,
      exchange,
      mint,
      standing: directory,
      administration,
      administrationTokens,
      audit,
      metrics,
      configuration,
      version,
      instanceId,
      logger,
    });
    started.push(() => server.close(graceMs));
    const takeNote = (): Promise<void> => {
      for (const sentence of unknownOrganizations(configuration, directory)) logger.warn(sentence);
      return serverHistory.record(configuration.writtenServers);
    };
    const recorded = takeNote();
    started.push(() => recorded);

    const url = server.urls.find(isLoopbackUrl);
    if (url === undefined) {
      logger.warn(
        "The commands on this machine will not find this gateway: it has no loopback address",
      );
    } else {
      const record = {
        pid: process.pid,
        url,
        instanceId,
        startedAtMs: Date.now(),
        secret,
        configurationFile: options.file,
      };
      started.push(() => removeRuntimeFile(stateDir, record));
      await writeRuntimeFile(stateDir, record);
    }
    log.info(whoGetsIn(configuration, { owner, loopback }));
    release();
    logger.info(`Listening on ${server.urls.join(" and ")}`);
    return {
      urls: server.urls,
      apply(changed) {
        configuration = changed;
        pool.apply(changed.servers);
        void takeNote();
      },
      close,
    };
  } catch (error) {
    await close().catch((also: unknown) => {
      log.error("Ending what was started failed", { reason: String(also) });
    });
    throw error;
  }
}

function authenticatorOf(entry: AuthConfiguration, directory: Directory): Authenticator {
  switch (entry.type) {
    case "local":
      return createLocalAuthenticator({ directory, now: Date.now });
    case "token":
      return createStaticTokenAuthenticator(entry.tokens, directory);
    case "none":
      return createAnonymousAuthenticator();
  }
}

/** Issue and revocation of a token go into the log and the audit, by the token's id. */
function reportTokenEvent(event: TokenEvent, audit: AuditSink, logger: Logger): void {
  const { kind, tokenId, userId } = event;
  logger.info(`A local token was ${kind}`, { tokenId, userId });
  audit.append({
    id: randomUUID(),
    timeMs: Date.now(),
    toolName: kind === "minted" ? "auth/cli-token" : "auth/logout",
    params: { tokenId },
    status: "success",
    durationMs: 0,
    userId,
    organizationId: null,
    projectId: null,
    sessionId: null,
    clientName: "unknown",
  });
}

/** The operating-system user; a container's may have no name. */
function ownerName(): string {
  try {
    return userInfo().username;
  } catch {
    return `uid-${process.getuid?.() ?? "unknown"}`;
  }
}
