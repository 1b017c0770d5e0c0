import { dirname } from "node:path";
import { Kysely } from "kysely";
import { AppError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { Storage } from "../../core/storage.ts";
import { withinLimit } from "../within-limit.ts";
import { createAuditTable } from "./audit-table.ts";
import type { Schema } from "./schema.ts";
import { startStorageWorker, WorkerNotOpened } from "./storage-worker.ts";
import type { StorageWorker } from "./storage-worker.ts";
import { createTokenTable } from "./token-table.ts";
import { createWorkerDialect } from "./worker-dialect.ts";
import type { OpenFailure } from "./worker-protocol.ts";

export interface SqliteStorageOptions {
  /** The database. Made 0600 when it is missing, its directory 0700. */
  file: string;
  /** A small file of its own, locked for as long as the storage is open: who holds it owns the directory. */
  lockFile: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  logger: Logger;
  /** The bundle of `worker.ts`: a thread starts from a file, and only the composition knows where the build put it. */
  workerUrl: URL;
}

/** A transaction that takes longer than this, its turn included, fails for who asked, and is rolled back. */
const transactionLimitMs = 10_000;
/** Beyond so many waiting transactions new ones fail at once, instead of filling the memory. */
const maxWaiting = 10_000;

/**
 * Opens the gateway's SQLite database in a worker thread, and so takes the state directory for this process
 * alone. A corrupt database is moved aside (and logged) and a new one begun.
 * @throws AppError `config_invalid` when another gateway owns the directory, `store_unavailable` when the
 *   database cannot be used or was written by a newer version of the program
 */
export async function openSqliteStorage(options: SqliteStorageOptions): Promise<Storage> {
  const { file, lockFile, now, newId, logger, workerUrl } = options;
  let worker: StorageWorker;
  try {
    const start = { file, lockFile, newInstanceId: newId(), nowMs: now() };
    worker = await startStorageWorker(workerUrl, start, (reason) => {
      logger.error("The storage thread has ended; restart the gateway", { reason });
    });
  } catch (error) {
    throw error instanceof WorkerNotOpened ? openErrorOf(error.failure, options) : error;
  }
  if (worker.setAside !== undefined) {
    logger.error("The database was corrupt; it was set aside and a new one begun", {
      file,
      setAside: worker.setAside,
    });
  }
  const db = new Kysely<Schema>({ dialect: createWorkerDialect(worker) });
  let waiting = 0;

  return {
    instanceId: worker.instanceId,
    async withPrincipal(_principal, work) {
      // SQLite has no row level security: the principal is for databases that have it.
      if (waiting >= maxWaiting) {
        throw new AppError(
          "store_unavailable",
          "Too many requests wait for the gateway's database",
        );
      }
      waiting += 1;
      let mustOutlivePowerCut = false;
      try {
        return await withinLimit(transactionLimitMs, async (giveUp) => {
          const result = await db.transaction().execute(async (trx) => {
            giveUp.throwIfAborted();
            const tokens = createTokenTable(trx);
            const answer = await work({
              tokens: {
                ...tokens,
                revoke(id, atMs) {
                  mustOutlivePowerCut = true;
                  return tokens.revoke(id, atMs);
                },
              },
              audit: createAuditTable(trx, worker),
            });
            giveUp.throwIfAborted();
            return answer;
          });
          if (mustOutlivePowerCut) {
            await worker.execute("PRAGMA wal_checkpoint(PASSIVE)", []);
          }
          return result;
        });
      } finally {
        waiting -= 1;
      }
    },
    async close() {
      // What came before has its turn first; what hangs does not keep the program from ending.
      await withinLimit(transactionLimitMs, () =>
        db.connection().execute(() => Promise.resolve()),
      ).catch(() => undefined);
      await worker.close();
    },
  };
}

function openErrorOf(failure: OpenFailure, { file, lockFile }: SqliteStorageOptions): AppError {
  if (failure.kind === "owned") {
    return new AppError("config_invalid", `Another gateway owns ${dirname(lockFile)}`, {
      hint: "agent serve --status",
    });
  }
  if (failure.kind === "newer") {
    const { found, known } = failure;
    return new AppError(
      "store_unavailable",
      `${file} was written by a newer version of this program (schema ${found}, this one knows ${known})`,
      { hint: "npm install -g @onedoor/agent@latest" },
    );
  }
  return new AppError("store_unavailable", `The database ${file} cannot be opened`, {
    hint: "Check that its directory exists and belongs to you: agent serve --config-dir <dir>",
    cause: new Error(failure.reason),
  });
}
