import { toAppError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { Storage } from "../core/storage.ts";

export interface AuditRetentionOptions {
  storage: Storage;
  /** Milliseconds since the epoch. */
  now: () => number;
  logger: Logger;
  /** How many days rows are kept, asked before each step; undefined: for ever. */
  days: () => number | undefined;
}

/** Rows in one transaction: new rows are written between two. */
const batchSize = 500;
const pauseMs = 100;
const everyMs = 60 * 60 * 1000;
const dayMs = 24 * 60 * 60 * 1000;

/** Removes audit rows that are older than the days given, at once and then every hour, a few at a time. */
export function createAuditRetention(options: AuditRetentionOptions): { close(): void } {
  const { storage, now, logger, days } = options;
  let timer: NodeJS.Timeout | undefined;
  let closed = false;
  let removedSoFar = 0;

  /** Removes one batch; resolves with whether there may be more. */
  const prune = async (): Promise<boolean> => {
    const kept = days();
    if (kept === undefined) return false;
    const beforeMs = now() - kept * dayMs;
    const removed = await storage.withPrincipal(systemPrincipal, (tx) =>
      tx.audit.prune(beforeMs, batchSize),
    );
    removedSoFar += removed;
    return removed === batchSize;
  };

  const step = async (): Promise<void> => {
    let isMore = false;
    try {
      isMore = await prune();
    } catch (error) {
      // A stop closes the storage under a step that is on its way.
      if (!closed) {
        logger.warn("Old audit rows could not be removed", { cause: toAppError(error).message });
      }
    }
    if (!isMore && removedSoFar > 0) {
      logger.info("Old audit rows were removed", { rows: removedSoFar });
      removedSoFar = 0;
    }
    if (!closed) timer = setTimeout(() => void step(), isMore ? pauseMs : everyMs).unref();
  };
  void step();

  return {
    close() {
      closed = true;
      clearTimeout(timer);
    },
  };
}
