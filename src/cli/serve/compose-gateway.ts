import { randomBytes, randomUUID } from "node:crypto";
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
import type { IdentityTokens } from "../../auth/identity-tokens.ts";
import { createTokenMint } from "../../auth/token-mint.ts";
import { writeServerEntry } from "../../config/edit-configuration.ts";
import type { Configuration } from "../../core/configuration.ts";
import { createCallLimits } from "../../core/create-call-limits.ts";
import { secretsIn } from "../../core/secret-reference.ts";
import type { Storage } from "../../core/storage.ts";
import { isLoopbackHost } from "../../core/url.ts";
import { version } from "../../core/version.ts";
import { createGateway } from "../../gateway/create-gateway.ts";
import { openToolPins } from "../../gateway/create-tool-pins.ts";
import { createPinApprovals } from "../../gateway/pin-approvals.ts";
import type { HttpServer } from "../../http/http-server.ts";
import { createMetrics } from "../../metrics/create-metrics.ts";
import type { OwnRuntimeFile } from "../../runtime/own-runtime-file.ts";
import { createAuditRetention } from "../../storage/audit-retention.ts";
import { createAuditSink } from "../../storage/audit-sink.ts";
import { createDeferred } from "../../upstream/deferred.ts";
import type { ConfigurablePool } from "../../upstream/upstream-pool.ts";
import { isToOrFromNone } from "./changed-settings.ts";
import type { HeldLogger } from "./held-logger.ts";
import { listeningOn } from "./listening-on.ts";
import { ownerName } from "./owner-name.ts";
import { reportSessionEvent, reportTokenEvent } from "./report-token-events.ts";
import { createSignInWays } from "./sign-in-ways.ts";
import type { GatewayProcess, StartOptions } from "./start-gateway.ts";
import { unknownOrganizations } from "./unknown-organizations.ts";
import { whoGetsIn } from "./who-gets-in.ts";

const graceMs = 5_000;
const maxQueuedAuditEvents = 10_000;
/** Of the 100 ms that may be missing after a kill; the rest is for a cold machine to write in. */
const auditBatchMs = 50;

/** What was started before the rest was even loaded. */
export interface Begun {
  storage: Storage;
  runtimeFile: OwnRuntimeFile;
  server: HttpServer;
  pool: ConfigurablePool;
  /** Servers that want to know for whom they are asked wait for this. */
  identifyBy(tokens: Pick<IdentityTokens, "tokenFor">): void;
  held: HeldLogger;
}

/**
 * Builds the gateway around its storage, its port and its upstream servers: directory, door, app, runtime file. What
 * was started, what had begun included, is ended again when a later part fails.
 * @throws AppError `config_invalid`: a rule is broken; `store_unavailable`
 */
export async function composeGateway(options: StartOptions, begun: Begun): Promise<GatewayProcess> {
  const { development, logger: log } = options;
  const { storage, runtimeFile, server, pool } = begun;
  const { logger, release } = begun.held;
  let { configuration } = options;
  const loopback = isLoopbackHost(configuration.host);
  const owner = ownerName();

  /** What has to be ended, in the order of its start: the storage first, for what comes after it still writes. */
  const started: (() => Promise<void>)[] = [() => storage.close()];
  const close = async (): Promise<void> => {
    const failures: unknown[] = [];
    for (const end of started.splice(0).toReversed()) {
      await end().catch((error: unknown) => failures.push(error));
    }
    if (failures.length > 0) throw failures[0];
  };

  try {
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
    begun.identifyBy(identityTokens);
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
    // By itself: somebody may be waiting to hear that the gateway lives, which cannot be said while a file is evaluated.
    const { attachApp } = await import("../../http/attach-app.ts");
    await attachApp(server, {
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
    // Perhaps it was not their turn yet; closing them again does no harm.
    for (const end of [() => server.close(0), () => pool.close(), close]) {
      await end().catch((also: unknown) => {
        log.error("Ending what was started failed", { reason: String(also) });
      });
    }
    throw error;
  }
}
