// Run in a process of its own, whose files may not grow beyond some size (`ulimit -f`): writes until that fails,
// a little more, and says on stdout what happened. Arguments: the worker's URL, the database, the lock file.
import { randomUUID } from "node:crypto";
import { AppError } from "../../../src/core/errors.ts";
import { systemPrincipal } from "../../../src/core/principal.ts";
import type { StorageTransaction } from "../../../src/core/storage.ts";
import { openSqliteStorage } from "./open-sqlite-storage.ts";
import { startStorageThread } from "../../../src/storage/sqlite/storage-worker.ts";
import { auditRows } from "./audit-rows.ts";
import { event, user } from "./rows.ts";
import { createSilentLogger } from "./silent-logger.ts";

/** What came of it. */
export interface FilledDisk {
  /** Transactions that were reported as written; each holds a user and ten audit rows. */
  written: number;
  /** The codes of the transactions that failed. */
  failures: string[];
  /** Rows that the same process read afterwards. */
  users: number;
  rows: number;
}

const [url = "", file = "", lockFile = ""] = process.argv.slice(2);
const storage = await openSqliteStorage({
  file,
  lockFile,
  now: () => 0,
  newId: randomUUID,
  logger: createSilentLogger(),
  thread: startStorageThread(new URL(url)),
});
const within = <T>(work: (tx: StorageTransaction) => Promise<T>): Promise<T> =>
  storage.withPrincipal(systemPrincipal, work);

const filled: FilledDisk = { written: 0, failures: [], users: 0, rows: 0 };
for (let attempt = 0; attempt < 1000 && filled.failures.length < 5; attempt += 1) {
  try {
    await within(async (tx) => {
      await tx.users.insert(user({ id: `user-${attempt}` }));
      const params = { text: "x".repeat(20_000) };
      await tx.audit.appendAll(Array.from({ length: 10 }, () => event({ params })));
    });
    filled.written += 1;
  } catch (error) {
    filled.failures.push(error instanceof AppError ? error.code : String(error));
  }
}
await within(async (tx) => {
  filled.users = (await tx.users.all()).length;
});
filled.rows = (await auditRows(storage)).length;
await storage.close();
process.stdout.write(JSON.stringify(filled));
