import type { AuditSink } from "../core/audit.ts";
import { toAppError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { Storage } from "../core/storage.ts";
import { AuditQueue } from "./audit-queue.ts";
import { DatabaseGone } from "./database-gone.ts";
import { createLossReport } from "./loss-report.ts";
import { RowRefused } from "./row-refused.ts";

export interface AuditSinkOptions {
  storage: Storage;
  logger: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** How many events may wait in memory; what comes beyond is dropped and counted. */
  maxQueued: number;
  /** How much memory they may take, in bytes; 32 MiB unless told. */
  maxQueuedBytes?: number | undefined;
  /** How long an event may wait for others to be written with, in milliseconds; at most 50, for the promise below. */
  batchMs: number;
}

/** Rows and bytes in one transaction, which takes some ten milliseconds then: it holds up the others. */
const maxBatch = 200;
const maxBatchBytes = 1024 * 1024;
/** A database that is busy or a disk that is full gets this long before it is tried again. */
const pauseMs = 250;
/** A flush gives up on a storage that has taken nothing for so long: twice as long as SQLite waits for a lock. */
const giveUpMs = 5_000;

/**
 * Takes audit events without waiting for the storage, and writes them in batches. Nothing here throws or rejects.
 *
 * After `kill -9` what came in the last 100 ms is missing at most, as long as the storage keeps up: an event
 * waits `batchMs` for others, however fast the storage is (a transaction costs as much as hundred rows), and where a
 * write takes longer, for the end of that one: the writer goes on with what came meanwhile. The write itself is in
 * the storage's thread and keeps no timer from running.
 *
 * What the storage cannot take now waits and is tried again and again, in smaller batches; it is lost (counted, and
 * said) when the queue is full, when the storage refuses the row itself or is gone, or when a flush gives up.
 */
export function createAuditSink(options: AuditSinkOptions): AuditSink {
  const { storage, logger, now, maxQueued, maxQueuedBytes = 32 * 1024 * 1024, batchMs } = options;
  const loss = createLossReport(logger, now);
  const queue = new AuditQueue(maxQueued, maxQueuedBytes);
  /** Since the start: taken into the queue, and out of it again. */
  let accepted = 0;
  let settled = 0;
  /** As far as the writer goes before it waits for others again. */
  let wanted = 0;
  let timer: NodeJS.Timeout | undefined;
  let writer: { done: Promise<void>; abandoned: boolean } | undefined;

  const settle = (count: number): void => {
    queue.remove(count);
    settled += count;
  };

  const isBehind = (): boolean => settled < wanted;

  const drain = async (mine: { abandoned: boolean }): Promise<void> => {
    let size = maxBatch;
    let failing = false;
    while (isBehind()) {
      const batch = queue.first(size, maxBatchBytes);
      try {
        await storage.withPrincipal(systemPrincipal, (tx) => tx.audit.appendAll(batch));
        if (mine.abandoned) return;
        settle(batch.length);
        size = Math.min(maxBatch, size * 2);
        if (failing && !isBehind()) logger.info("Audit events are written again");
      } catch (error) {
        if (mine.abandoned) return;
        const { message: cause } = toAppError(error);
        if (error instanceof RowRefused) {
          // One of them is not taken. It is found by halves, so that it does not keep the others.
          if (batch.length === 1) {
            settle(1);
            loss.add(1, cause);
          }
          size = Math.ceil(batch.length / 2);
          continue;
        }
        if (error instanceof DatabaseGone) {
          // Who watches the count of lost events learns it from the first one, not when the queue is full.
          settle(batch.length);
          loss.add(batch.length, cause);
          continue;
        }
        if (!failing) logger.warn("Audit events wait: the storage fails", { cause });
        failing = true;
        // A disk that is nearly full may have room for fewer.
        size = Math.ceil(batch.length / 2);
        // What comes meanwhile waits in the queue, and its limits hold.
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        if (mine.abandoned) return;
      }
    }
    // In the same breath as the last look: who wants more after it starts a new writer.
    writer = undefined;
  };

  /** One writer at a time; it goes on with all that is there now. */
  const start = (): void => {
    clearTimeout(timer);
    timer = undefined;
    wanted = accepted;
    if (writer !== undefined || queue.length === 0) return;
    const mine = { done: Promise.resolve(), abandoned: false };
    writer = mine;
    mine.done = drain(mine);
  };

  const abandon = (): void => {
    if (writer !== undefined) writer.abandoned = true;
    writer = undefined;
    loss.add(queue.length, "the storage did not take them before the end");
    settle(queue.length);
  };

  return {
    get queued() {
      return queue.length;
    },
    get dropped() {
      return loss.count;
    },
    append(event) {
      try {
        if (!queue.add(event)) {
          loss.add(1, "the queue is full");
          return;
        }
      } catch {
        loss.add(1, "its parameters are no JSON");
        return;
      }
      accepted += 1;
      timer ??= setTimeout(start, batchMs);
    },
    async flush() {
      const target = accepted;
      const isDone = (): boolean => settled >= target;
      while (!isDone()) {
        start();
        const before = settled;
        await within(giveUpMs, writer?.done);
        if (settled === before) abandon();
      }
      loss.sayRest();
    },
  };
}

/** Waits for `work`, and no longer than so many milliseconds. */
async function within(limitMs: number, work: Promise<void> | undefined): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([work, limit]);
  clearTimeout(timer);
}
