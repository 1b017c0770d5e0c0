import { Kysely } from "kysely";
import { AppError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { IdentityTable, Storage, StorageTransaction } from "../../core/storage.ts";
import { withinLimit } from "../within-limit.ts";
import { createAuditTable } from "./audit-table.ts";
import { createChangeTable } from "./change-table.ts";
import { createMemberTable } from "./member-table.ts";
import { createNamedTable } from "./named-table.ts";
import type { Schema } from "./schema.ts";
import type { StorageWorker } from "./storage-worker.ts";
import { createTokenTable } from "./token-table.ts";
import { createWorkerDialect } from "./worker-dialect.ts";

/** A transaction that takes longer than this, its turn included, fails for who asked, and is rolled back. */
const transactionLimitMs = 10_000;
/** How long a close waits for the transactions before it, in milliseconds. */
const closeLimitMs = 5_000;
/** Beyond so many waiting transactions new ones fail at once, instead of filling the memory. */
const maxWaiting = 10_000;

/** The port on an open storage worker, one transaction after the other. */
export function createWorkerStorage(worker: StorageWorker, logger: Logger): Storage {
  const db = new Kysely<Schema>({ dialect: createWorkerDialect(worker) });
  let waiting = 0;

  const transactionOn = (trx: Kysely<Schema>, onReplace: () => void): StorageTransaction => {
    const watched = <Row>(table: IdentityTable<Row>): IdentityTable<Row> => ({
      ...table,
      replace(row) {
        onReplace();
        return table.replace(row);
      },
    });
    return {
      organizations: watched(createNamedTable(trx, "organizations")),
      users: watched(createNamedTable(trx, "users")),
      members: watched(createMemberTable(trx)),
      tokens: watched(createTokenTable(trx)),
      changes: createChangeTable(trx),
      audit: createAuditTable(trx, worker),
    };
  };

  /** Moves what is committed out of the write-ahead log, which syncs both files. */
  const checkpoint = async (): Promise<void> => {
    try {
      await worker.execute("PRAGMA wal_checkpoint(PASSIVE)", []);
    } catch (error) {
      logger.warn("A change is written, but a power cut could still undo it", {
        reason: String(error instanceof Error ? (error.cause ?? error) : error),
      });
    }
  };

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
      let committed: { result: Awaited<ReturnType<typeof work>> } | undefined;
      try {
        return await withinLimit(transactionLimitMs, (giveUp) =>
          db.connection().execute(async (connection) => {
            // What is taken away (a token, a membership, a higher role) must not be back after a power cut.
            let mustOutlivePowerCut = false;
            const result = await connection.transaction().execute(async (trx) => {
              giveUp.throwIfAborted();
              const answer = await work(
                transactionOn(trx, () => {
                  mustOutlivePowerCut = true;
                }),
              );
              giveUp.throwIfAborted();
              return answer;
            });
            committed = { result };
            // Before the next transaction has its turn: inside one there is no checkpoint.
            if (mustOutlivePowerCut) await checkpoint();
            return result;
          }),
        );
      } catch (error) {
        // The limit came during the checkpoint: it is written all the same.
        if (committed !== undefined) return committed.result;
        throw error;
      } finally {
        waiting -= 1;
      }
    },
    async close() {
      // What came before has its turn first; what hangs does not keep the program from ending.
      await withinLimit(closeLimitMs, () => db.connection().execute(() => Promise.resolve())).catch(
        () => undefined,
      );
      await worker.close();
    },
  };
}
