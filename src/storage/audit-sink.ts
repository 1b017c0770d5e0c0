import type { AuditEvent, AuditSink } from "../core/audit.ts";
import { toAppError } from "../core/errors.ts";
import type { Logger } from "../core/logger.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { Storage } from "../core/storage.ts";

export interface AuditSinkOptions {
  storage: Storage;
  logger: Logger;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** How many events may wait in memory; what comes beyond is dropped and counted. */
  maxQueued: number;
  /** How long an event may wait for others to be written with, in milliseconds; at most 100 is asked for. */
  batchMs: number;
}

/** Rows in one transaction: it holds up the others that wait for the database. */
const maxBatch = 500;
const maxAttempts = 3;
/** A database that is busy or a disk that is full for a moment gets this long before it is tried again. */
const pauseMs = 250;
/** Loss is said once in a while, not for each event. */
const complaintEveryMs = 60_000;

/**
 * Takes audit events without waiting for the storage, and writes them in batches. Nothing here throws or
 * rejects: a batch that cannot be written in three attempts is dropped, counted and logged. After one was,
 * the next get one attempt each until one succeeds, so that a shutdown does not wait for a dead disk.
 */
export function createAuditSink(
  options: AuditSinkOptions,
): AuditSink & { readonly dropped: number } {
  const { storage, logger, now, maxQueued, batchMs } = options;
  let queue: AuditEvent[] = [];
  let timer: NodeJS.Timeout | undefined;
  let writing: Promise<void> | undefined;
  let dropped = 0;
  let failing = false;
  let complainedAtMs = -Infinity;
  let complaint: NodeJS.Timeout | undefined;
  let cause = "";

  const complain = (): void => {
    clearTimeout(complaint);
    complaint = undefined;
    complainedAtMs = now();
    logger.error("Audit events are lost", { lostSoFar: dropped, cause });
  };

  const drop = (count: number, why: string): void => {
    dropped += count;
    cause = why;
    const waitMs = complainedAtMs + complaintEveryMs - now();
    if (waitMs <= 0) complain();
    // What is lost until then is told then, even if nothing more is lost.
    else complaint ??= setTimeout(complain, waitMs).unref();
  };

  const write = async (batch: readonly AuditEvent[]): Promise<void> => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        await storage.withPrincipal(systemPrincipal, (tx) => tx.audit.appendAll(batch));
        failing = false;
        return;
      } catch (error) {
        if (failing || attempt === maxAttempts) {
          failing = true;
          drop(batch.length, toAppError(error).message);
          return;
        }
      }
      // What comes meanwhile waits in the queue, and its limit holds.
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  };

  const drain = async (): Promise<void> => {
    try {
      while (queue.length > 0) {
        const batch = queue.slice(0, maxBatch);
        queue = queue.slice(maxBatch);
        await write(batch);
      }
    } finally {
      // In the same breath as the last look at the queue: an event that comes after it starts a new writer.
      writing = undefined;
    }
  };

  /** One writer at a time; it goes on until the queue is empty. */
  const start = async (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    if (queue.length > 0) {
      writing ??= drain();
    }
    await writing;
  };

  return {
    get dropped() {
      return dropped;
    },
    append(event) {
      if (queue.length >= maxQueued) {
        drop(1, "the queue is full");
        return;
      }
      queue.push(event);
      timer ??= setTimeout(() => void start(), batchMs);
    },
    async flush() {
      await start();
      if (complaint !== undefined) complain();
    },
  };
}
