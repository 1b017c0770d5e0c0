import { randomBytes, randomUUID } from "node:crypto";
import { join } from "node:path";
import { performance } from "node:perf_hooks";
import { isDeepStrictEqual } from "node:util";
import { createAdministration } from "../../administration/create-administration.ts";
import { createServerHistory } from "../../administration/server-history.ts";
import { createAdministrationTokens } from "../../auth/administration-tokens.ts";
import { createCliTokenExchange } from "../../auth/cli-token-exchange.ts";
import { openDirectory } from "../../auth/directory.ts";
import { createDoor } from "../../auth/door.ts";
import { createPasswordHashes } from "../../auth/passwords/password-hashes.ts";
import { createIdentityTokens } from "../../auth/identity-tokens.ts";
import { createTokenMint } from "../../auth/token-mint.ts";
import { writeServerEntry } from "../../config/edit-configuration.ts";
import { readTlsMaterial } from "../../config/read-tls-files.ts";
import type { Configuration } from "../../core/configuration.ts";
import { createCallLimits } from "../../core/create-call-limits.ts";
import type { ConfigurationStatus } from "../../core/configuration-status.ts";
import { AppError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { isLoopbackHost } from "../../core/url.ts";
import { version } from "../../core/version.ts";
import { createGateway } from "../../gateway/create-gateway.ts";
import { openToolPins } from "../../gateway/create-tool-pins.ts";
import { createPinApprovals } from "../../gateway/pin-approvals.ts";
import { startHttpServer } from "../../http/http-server.ts";
import { createMetrics } from "../../metrics/create-metrics.ts";
import { createOwnRuntimeFile } from "../../runtime/own-runtime-file.ts";
import { createAuditRetention } from "../../storage/audit-retention.ts";
import { createAuditSink } from "../../storage/audit-sink.ts";
import { openSqliteStorage } from "../../storage/sqlite/sqlite-storage.ts";
import { createDeferred } from "../../upstream/deferred.ts";
import { createUpstreamPool } from "../../upstream/upstream-pool.ts";
import { secretsIn } from "../../core/secret-reference.ts";
import { isToOrFromNone } from "./changed-settings.ts";
import { holdBack } from "./held-logger.ts";
import { listeningOn } from "./listening-on.ts";
import { ownerName } from "./owner-name.ts";
import { reportSessionEvent, reportTokenEvent } from "./report-token-events.ts";
import { createSignInWays } from "./sign-in-ways.ts";
import { makeStateDirectory } from "./state-directory.ts";
import { unknownOrganizations } from "./unknown-organizations.ts";
import { whoGetsIn } from "./who-gets-in.ts";

export interface GatewayProcess {
  /** Where it listens, without a path. */
  readonly urls: readonly string[];
  /**
   * A changed configuration: servers, ways to sign in (but to and from `none`), rate limit and age of audit rows are in
   * effect from then on, the rest at the next start.
   */
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
  /** What is known of the file: whether what it has now is in effect. */
  configurationStatus: () => ConfigurationStatus;
  /** The names of the secrets that entries may refer to. */
  keptSecrets: () => Promise<readonly string[]>;
}

const graceMs = 5_000;
const maxQueuedAuditEvents = 10_000;
/** Of the 100 ms that may be missing after a kill; the rest is for a cold machine to write in. */
const auditBatchMs = 50;

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
    const directory = await openDirectory({
      storage,
      now: Date.now,
      newId: randomUUID,
      renew: (principal) => door.renew(principal),
    });
    const passwords = createPasswordHashes({ randomBytes });
    const ways = createSignInWays({
      directory,
      hashes: passwords,
      reportSession: (event) => reportSessionEvent(event, logger),
      logger,
    });
    started.push(() => ways.close());
    let { authenticators, signIn } = ways.take(configuration.auth);
    const door = createDoor(authenticators, Date.now);
    const serverHistory = createServerHistory({
      storage,
      now: Date.now,
      newId: randomUUID,
      logger,
      writeEntry: (name, entry) => writeServerEntry(options.file, name, entry),
      async missingSecrets(entry) {
        const wanted = secretsIn(entry);
        if (wanted.length === 0) return [];
        const kept = await options.keptSecrets();
        return wanted.filter((secret) => !kept.includes(secret));
      },
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
    const listening = createDeferred<string>();
    const identityTokens = createIdentityTokens({
      issuer: listening.promise,
      now: Date.now,
      newId: randomUUID,
      standing: door,
    });
    const metrics = createMetrics({ version, nodeVersion: process.version });
    const servers = (): Configuration["servers"] => configuration.servers;
    const pins = await openToolPins({
      storage,
      servers,
      writtenServers: () => configuration.writtenServers,
      now: Date.now,
      newId: randomUUID,
      logger,
    });
    started.push(() => pins.close());
    const pool = createUpstreamPool({
      servers: configuration.servers,
      logger,
      now: Date.now,
      version,
      identify: (serverUrl, caller) => identityTokens.tokenFor(serverUrl, caller),
    });
    started.push(() => pool.close());
    pins.watch(pool);
    const gateway = createGateway({
      door,
      pool,
      servers,
      pins,
      presets: () => configuration.presets,
      auth: () => configuration.auth,
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
      mint,
      mintsCliTokens: () => door.ways.some(({ type }) => type === "local"),
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
      passwords,
    });
    const runtimeFile = createOwnRuntimeFile(stateDir);
    const server = await startHttpServer({
      gateway,
      exchange,
      mint,
      standing: {
        renew: (principal) => door.renew(principal),
        onChanged(listener) {
          directory.onChanged(listener);
          door.onChanged(listener);
        },
      },
      door,
      signIn: () => signIn,
      development,
      administration,
      administrationTokens,
      audit,
      metrics,
      configuration,
      configurationStatus: options.configurationStatus,
      version,
      instanceId,
      logger,
      identityTokens,
      approvals: createPinApprovals({
        pins,
        servers,
        renew: (principal) => door.renew(principal),
      }),
      readTls: readTlsMaterial,
      onCertificates: (fingerprints) => runtimeFile.expect(fingerprints),
    });
    started.push(() => server.close(graceMs));
    listening.resolve(configuration.externalUrl ?? server.localUrls[0] ?? server.urls[0] ?? "");
    const takeNote = (): Promise<void> => {
      for (const sentence of unknownOrganizations(configuration, directory)) logger.warn(sentence);
      return serverHistory.record(configuration.writtenServers);
    };
    const recorded = takeNote();
    started.push(() => recorded);

    const [url] = server.localUrls;
    if (url === undefined) {
      logger.warn(
        "The commands on this machine will not find this gateway: it has no loopback address",
      );
    } else {
      started.push(() => runtimeFile.remove());
      await runtimeFile.write({
        pid: process.pid,
        url,
        certificates: configuration.tls && server.certificates,
        instanceId,
        startedAtMs: Date.now(),
        secret,
        configurationFile: options.file,
      });
    }
    log.info(whoGetsIn(configuration, { owner, loopback }));
    release();
    logger.info(listeningOn(server));
    return {
      urls: server.urls,
      apply(changed) {
        const { auth } = configuration;
        // Who else can reach this process was judged when it began to listen.
        configuration = isToOrFromNone(configuration, changed) ? { ...changed, auth } : changed;
        if (!isDeepStrictEqual(configuration.auth, auth)) {
          ({ authenticators, signIn } = ways.take(configuration.auth));
          door.replace(authenticators);
          logger.info(whoGetsIn(configuration, { owner, loopback }));
        }
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
