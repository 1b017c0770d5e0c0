import { dirname } from "node:path";
import { AppError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import { WorkerNotOpened } from "./storage-worker.ts";
import type { StorageThread, StorageWorker } from "./storage-worker.ts";
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
  /** Of the bundle of `worker.ts`: only the composition knows where the build put that. */
  thread: StorageThread;
}

/**
 * Opens the gateway's SQLite database in a worker thread, and so takes the state directory for this process
 * alone. A corrupt database is moved aside (and logged) and a new one begun.
 * @throws AppError `config_invalid` when another gateway owns the directory, `store_unavailable` when the
 *   database cannot be used or was written by a newer version of the program
 */
export async function openSqliteWorker(options: SqliteStorageOptions): Promise<StorageWorker> {
  const { file, lockFile, now, newId, logger, thread } = options;
  let worker: StorageWorker;
  try {
    const start = { file, lockFile, newInstanceId: newId(), nowMs: now() };
    worker = await thread.open(start, (reason) => {
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
  return worker;
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
