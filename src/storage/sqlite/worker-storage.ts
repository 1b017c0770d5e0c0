import { Kysely } from "kysely";
import { AppError } from "../../core/errors.ts";
import type { Logger } from "../../core/logger.ts";
import type { IdentityTable, Storage, StorageTransaction } from "../../core/storage.ts";
import { DatabaseGone } from "../database-gone.ts";
import { withinLimit } from "../within-limit.ts";
import { auditPage } from "./audit-page.ts";
import { createAuditTable } from "./audit-table.ts";
import { changePage, createChangeTable } from "./change-table.ts";
import { pageLimits } from "./find-page.ts";
import type { PageLimits } from "./find-page.ts";
import { createMemberTable } from "./member-table.ts";
import { createOrganizationTable } from "./organization-table.ts";
import { createPinTable } from "./pin-table.ts";
import type { Schema } from "./schema.ts";
import type { StorageWorker } from "./storage-worker.ts";
import { createTokenTable } from "./token-table.ts";
import { createTurns } from "./turns.ts";
import { createUserTable } from "./user-table.ts";
import { createWorkerDialect } from "./worker-dialect.ts";

/** A transaction that takes longer than this, its turn included, fails for who asked, and is rolled back. */
const transactionLimitMs = 10_000;
/** The same for a page, which gives up looking long before: what it waits for then is its turn. */
const readLimitMs = 10_000;
/** How long a close waits for the transactions before it, in milliseconds. */
const closeLimitMs = 5_000;
/** Beyond so many waiting transactions new ones fail at once, instead of filling the memory. */
const maxWaiting = 10_000;

/** The port on an open storage worker: one transaction after the other, and reads between them. */
export function createWorkerStorage(
  worker: StorageWorker,
  logger: Logger,
  limits: PageLimits = pageLimits,
): Storage {
  const turns = createTurns();
  const db = new Kysely<Schema>({ dialect: createWorkerDialect(worker, turns, "transaction") });
  const reads = new Kysely<Schema>({ dialect: createWorkerDialect(worker, turns, "read") });
  let waiting = 0;
  let isGoneSaid = false;

  const transactionOn = (trx: Kysely<Schema>, onRemoval: () => void): StorageTransaction => {
    const watched = <Row>(table: IdentityTable<Row>): IdentityTable<Row> => ({
      ...table,
      replace(row) {
        onRemoval();
        return table.replace(row);
      },
      purge(beforeMs) {
        onRemoval();
        return table.purge(beforeMs);
      },
    });
    return {
      organizations: watched(createOrganizationTable(trx)),
      users: watched(createUserTable(trx)),
      members: watched(createMemberTable(trx)),
      tokens: watched(createTokenTable(trx)),
      changes: createChangeTable(trx),
      toolPins: createPinTable(trx, worker),
      audit: createAuditTable(trx, worker),
    };
  };

  /**
   * Moves what is committed out of the write-ahead log, which syncs both files, and empties the log: it holds pages
   * as they were before, with hashes that are erased.
   */
  const checkpoint = async (): Promise<void> => {
    try {
      const { rows } = await worker.execute("PRAGMA wal_checkpoint(TRUNCATE)", []);
      // It does not fail where another program holds the log, but says so in the first column.
      if (rows[0]?.[0] !== 0) throw new Error("another program reads the database");
    } catch (error) {
      logger.warn(
        "A change is written, but a power cut could still undo it, and what it erased is still in the log",
        { reason: String(error instanceof Error ? (error.cause ?? error) : error) },
      );
    }
  };

  /** Said once: whoever writes is told as well. */
  const sayGone = ({ message, cause }: DatabaseGone): void => {
    if (isGoneSaid) return;
    isGoneSaid = true;
    logger.error(message, { reason: cause instanceof Error ? cause.message : undefined });
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
        if (error instanceof DatabaseGone) sayGone(error);
        throw error;
      } finally {
        waiting -= 1;
      }
    },
    auditPage: (_principal, query) =>
      withinLimit(readLimitMs, (giveUp) => auditPage(reads, query, limits, giveUp)),
    changePage: (_principal, query) =>
      withinLimit(readLimitMs, (giveUp) => changePage(reads, query, limits, giveUp)),
    async close() {
      // What came before has its turn first; what hangs does not keep the program from ending.
      await withinLimit(closeLimitMs, () => db.connection().execute(() => Promise.resolve())).catch(
        () => undefined,
      );
      await worker.close();
    },
  };
}
