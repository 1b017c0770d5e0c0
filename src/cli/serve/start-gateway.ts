import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { setImmediate as nextTurn } from "node:timers/promises";
import type { IdentityTokens } from "../../auth/identity-tokens.ts";
import type { Configuration } from "../../core/configuration.ts";
import type { ConfigurationStatus } from "../../core/configuration-status.ts";
import { AppError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { HttpServer } from "../../http/http-server.ts";
import { isLoopbackHost } from "../../core/url.ts";
import { version } from "../../core/version.ts";
import { openSqliteWorker } from "../../storage/sqlite/sqlite-storage.ts";
import type { StorageThread } from "../../storage/sqlite/storage-worker.ts";
import type { createWorkerStorage } from "../../storage/sqlite/worker-storage.ts";
import { createOwnRuntimeFile } from "../../runtime/own-runtime-file.ts";
import { createDeferred } from "../../upstream/deferred.ts";
import { createUpstreamPool } from "../../upstream/upstream-pool.ts";
import type { composeGateway } from "./compose-gateway.ts";
import { holdBack } from "./held-logger.ts";
import { makeStateDirectory } from "./state-directory.ts";

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
  /** Waits to open the storage. */
  thread: StorageThread;
  /** What is known of the file: whether what it has now is in effect. */
  configurationStatus: () => ConfigurationStatus;
  /** The names of the secrets that entries may refer to. */
  keptSecrets: () => Promise<readonly string[]>;
}

/**
 * Starts the gateway: storage (and with it the state directory's lock), the port, upstream servers, and then all the
 * rest. The servers take longest to start, so they are early; what they are started for is loaded meanwhile, and who
 * asks whether the gateway lives does not wait for it.
 * @throws AppError `config_invalid`: the directory is another gateway's or open to others, the port is taken, a rule is
 *   broken; `store_unavailable`. Nothing of what was started is left then.
 */
export async function startGateway(options: StartOptions): Promise<GatewayProcess> {
  const { configuration, stateDir } = options;
  const held = holdBack(options.logger);
  const { logger } = held;
  if (options.development && !isLoopbackHost(configuration.host)) {
    throw new AppError(
      "config_invalid",
      `NODE_ENV=development is refused on ${configuration.host}`,
      {
        hint: "unset NODE_ENV, or listen on 127.0.0.1",
      },
    );
  }
  await makeStateDirectory(stateDir);
  // Loaded while the database opens.
  const loading = import("../../http/http-server.ts");
  // Whether it failed is asked below.
  loading.catch(() => undefined);
  const database = await openSqliteWorker({
    file: join(stateDir, "onedoor.db"),
    lockFile: join(stateDir, "gateway.lock"),
    now: Date.now,
    newId: randomUUID,
    logger,
    thread: options.thread,
  });
  const runtimeFile = createOwnRuntimeFile(stateDir);
  let server: HttpServer;
  try {
    const { openHttpServer } = await loading;
    server = await openHttpServer({
      configuration,
      logger,
      async readTls(files) {
        const { readTlsMaterial } = await import("../../config/read-tls-files.ts");
        return readTlsMaterial(files);
      },
      onCertificates: (fingerprints) => runtimeFile.expect(fingerprints),
    });
  } catch (error) {
    await database.close();
    throw error;
  }
  const identity = createDeferred<Pick<IdentityTokens, "tokenFor">>();
  const pool = createUpstreamPool({
    servers: configuration.servers,
    logger,
    now: Date.now,
    version,
    identify: async (serverUrl, caller) => (await identity.promise).tokenFor(serverUrl, caller),
  });
  const { compose, storageOver } = await loadRest().catch(async (error: unknown) => {
    await server.close(0);
    await pool.close();
    await database.close();
    throw error;
  });
  return compose(options, {
    storage: storageOver(database, logger),
    runtimeFile,
    server,
    pool,
    identifyBy: identity.resolve,
    held,
  });
}

interface Rest {
  compose: typeof composeGateway;
  storageOver: typeof createWorkerStorage;
}

/**
 * In steps: while files are evaluated nobody is answered.
 * @throws what Node throws for a file that is missing, as while the program is installed anew
 */
async function loadRest(): Promise<Rest> {
  await answerWhoAsks();
  const storage = await import("../../storage/sqlite/worker-storage.ts");
  await answerWhoAsks();
  await import("../../gateway/create-gateway.ts");
  await answerWhoAsks();
  const gateway = await import("./compose-gateway.ts");
  return { compose: gateway.composeGateway, storageOver: storage.createWorkerStorage };
}

/** In one turn the connections that have come are taken, in the next one what is asked on them is read and answered. */
async function answerWhoAsks(): Promise<void> {
  await nextTurn();
  await nextTurn();
}
