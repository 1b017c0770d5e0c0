import type { Storage } from "../../../src/core/storage.ts";
import { openSqliteWorker } from "../../../src/storage/sqlite/sqlite-storage.ts";
import { createWorkerStorage } from "../../../src/storage/sqlite/worker-storage.ts";

/** What the gateway does in two steps. @throws AppError as `openSqliteWorker` */
export async function openSqliteStorage(
  options: Parameters<typeof openSqliteWorker>[0],
): Promise<Storage> {
  return createWorkerStorage(await openSqliteWorker(options), options.logger);
}
