import { Worker } from "node:worker_threads";
import { AppError } from "../../core/errors.ts";
import { UnderWayByKey } from "../../core/under-way.ts";
import { DatabaseGone } from "../database-gone.ts";
import { RowRefused } from "../row-refused.ts";
import { withinLimit } from "../within-limit.ts";
import type {
  OpenFailure,
  SqlValue,
  StatementResult,
  WorkerReply,
  WorkerRequest,
  WorkerStart,
} from "./worker-protocol.ts";

/** The worker thread, from the gateway's side. Requests are executed in the order they are sent. */
export interface StorageWorker {
  readonly instanceId: string;
  /** Where a corrupt database was moved to at this start. */
  readonly setAside: string | undefined;
  /** This and the next four throw AppError `store_unavailable`: `RowRefused` where a constraint of the schema does. */
  execute(sql: string, params: readonly SqlValue[]): Promise<StatementResult>;
  /** Outside of transactions, what changes nothing. */
  read(sql: string, params: readonly SqlValue[]): Promise<StatementResult>;
  executeMany(sql: string, rows: readonly (readonly SqlValue[])[]): Promise<StatementResult>;
  /** @throws DatabaseGone */
  begin(): Promise<void>;
  rollback(): Promise<void>;
  /** Closes the database and gives the state directory back. */
  close(): Promise<void>;
}

/** How long the thread may take to close the database, and then to end, in milliseconds. */
const closeLimitMs = 5_000;

type Omitted<T> = T extends unknown ? Omit<T, "id"> : never;

interface Pending {
  resolve(result: StatementResult): void;
  reject(error: Error): void;
}

/** The thread, with SQLite loaded and nothing opened. */
export interface StorageThread {
  /**
   * To be called once. Resolves when the database is open, migrated and owned. An idle worker does not keep the
   * process alive; one with work to do does.
   * @param onLost told once when the thread ends without having been closed: nothing can be stored any more
   * @throws WorkerNotOpened
   */
  open(start: WorkerStart, onLost: (reason: string) => void): Promise<StorageWorker>;
}

/**
 * Starts the thread, which takes longer than opening the database: whoever does it early has both in the time of one.
 * Until it is to open something it neither touches a file nor keeps the process alive.
 * @param url the bundle of `worker.ts`
 */
export function startStorageThread(url: URL): StorageThread {
  const worker = new Worker(url, { name: "storage" });
  worker.unref();
  let failure: Error | undefined;
  const fail = (error: Error): void => {
    failure = error;
  };
  worker.once("error", fail);
  return {
    open(start, onLost) {
      worker.off("error", fail);
      return openIn(worker, failure, start, onLost);
    },
  };
}

async function openIn(
  worker: Worker,
  failed: Error | undefined,
  start: WorkerStart,
  onLost: (reason: string) => void,
): Promise<StorageWorker> {
  if (failed !== undefined) throw notStarted(failed.message);
  const pending = new UnderWayByKey<number, Pending>();
  let ended: AppError | undefined;
  let lastId = 0;

  let isOpen = false;

  const end = (reason: string): void => {
    if (ended === undefined && isOpen) {
      onLost(reason);
    }
    ended ??= unavailable(reason);
    for (const request of pending.values()) {
      request.reject(ended);
    }
    pending.clear();
  };

  const opened = await new Promise<Extract<WorkerReply, { kind: "opened" }>>((resolve, reject) => {
    worker.on("message", (reply: WorkerReply) => {
      switch (reply.kind) {
        case "opened":
          isOpen = true;
          worker.unref();
          resolve(reply);
          break;
        case "not-opened":
          reject(new WorkerNotOpened(reply.failure));
          break;
        case "done":
          settle(reply.id)?.resolve(reply.result);
          break;
        case "failed":
          settle(reply.id)?.reject(failureOf(reply));
          break;
      }
    });
    worker.on("error", (error) => {
      end(error.message);
      reject(notStarted(error.message));
    });
    worker.on("exit", () => {
      end("its thread has ended");
      reject(notStarted("its thread has ended"));
    });
    worker.ref();
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
    worker.postMessage(start);
  });

  function settle(id: number): Pending | undefined {
    const request = pending.get(id);
    pending.delete(id);
    if (pending.size === 0) {
      worker.unref();
    }
    return request;
  }

  function send(request: Omitted<WorkerRequest>): Promise<StatementResult> {
    if (ended !== undefined) {
      return Promise.reject(ended);
    }
    return new Promise((resolve, reject) => {
      lastId += 1;
      pending.add(lastId, { resolve, reject });
      worker.ref();
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
      worker.postMessage({ ...request, id: lastId });
    });
  }

  return {
    instanceId: opened.instanceId,
    setAside: opened.setAside,
    execute: (sql, params) => send({ kind: "execute", sql, params }),
    read: (sql, params) => send({ kind: "read", sql, params }),
    executeMany: (sql, rows) => send({ kind: "execute-many", sql, rows }),
    async begin() {
      await send({ kind: "begin" });
    },
    async rollback() {
      await send({ kind: "rollback" });
    },
    async close() {
      if (ended !== undefined) {
        return;
      }
      const closed = send({ kind: "close" });
      ended = unavailable("it is closed");
      try {
        await withinLimit(closeLimitMs, () => closed);
      } finally {
        // A thread that hangs in the operating system does not end; the program does not wait for it.
        const terminated = worker.terminate();
        await withinLimit(closeLimitMs, () => terminated);
      }
    },
  };
}

/** The database could not be opened; `failure` says why. */
export class WorkerNotOpened extends Error {
  override readonly name = "WorkerNotOpened";
  readonly failure: OpenFailure;
  constructor(failure: OpenFailure) {
    super(failure.kind);
    this.failure = failure;
  }
}

function notStarted(reason: string): WorkerNotOpened {
  return new WorkerNotOpened({ kind: "failed", reason });
}

function failureOf({ failure, reason }: Extract<WorkerReply, { kind: "failed" }>): AppError {
  switch (failure) {
    case "refused":
      return new RowRefused(reason);
    case "gone":
      return new DatabaseGone(reason);
    case "locked":
      return new AppError(
        "store_unavailable",
        "The gateway's database is locked by another program",
        {
          hint: "End that program, or try again later",
          cause: new Error(reason),
        },
      );
    case "full":
      return new AppError("store_unavailable", "The disk of the gateway's database is full", {
        hint: "Make room, and try again",
        cause: new Error(reason),
      });
    case "other":
      return unavailable(reason);
  }
}

/** SQLite's own text goes into the cause: it is for the log, not for a client. */
function unavailable(reason: string): AppError {
  return new AppError("store_unavailable", "The gateway's database cannot be used", {
    cause: new Error(reason),
  });
}
