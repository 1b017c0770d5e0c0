import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach } from "vitest";
import { systemPrincipal } from "../../../src/core/principal.ts";
import type { Storage, StorageTransaction } from "../../../src/core/storage.ts";
import { openSqliteStorage } from "./open-sqlite-storage.ts";
import { startStorageThread } from "../../../src/storage/sqlite/storage-worker.ts";
import { createSilentLogger } from "./silent-logger.ts";
import { bundleStorageWorker } from "./storage-worker-bundle.ts";
import type { WorkerBundle } from "./storage-worker-bundle.ts";

export interface StoragePlace {
  readonly bundle: WorkerBundle;
  /** A directory of its own for each test, not made yet. */
  readonly state: string;
  readonly file: string;
  readonly lockFile: string;
  readonly logger: ReturnType<typeof createSilentLogger>;
  /** Opens the database there; closed after the test. */
  readonly open: () => Promise<Storage>;
}

/** Gives each test of a file a place for a database. Call it at the top of the file. */
export function useStoragePlace(): StoragePlace {
  let bundle: WorkerBundle;
  let home: string;
  let logger: ReturnType<typeof createSilentLogger>;
  let opened: Storage[];

  beforeAll(async () => {
    bundle = await bundleStorageWorker();
  });
  afterAll(() => bundle.remove());
  beforeEach(async () => {
    home = await mkdtemp(join(tmpdir(), "onedoor-sqlite-"));
    logger = createSilentLogger();
    opened = [];
  });
  afterEach(async () => {
    await Promise.all(opened.map((storage) => storage.close()));
    await rm(home, { recursive: true, force: true });
  });

  return {
    get bundle() {
      return bundle;
    },
    get state() {
      return join(home, "state");
    },
    get file() {
      return join(home, "state", "onedoor.db");
    },
    get lockFile() {
      return join(home, "state", "owner.lock");
    },
    get logger() {
      return logger;
    },
    async open() {
      const storage = await openSqliteStorage({
        file: this.file,
        lockFile: this.lockFile,
        now: () => Date.UTC(2026, 10, 21, 9, 30, 0),
        newId: randomUUID,
        logger,
        thread: startStorageThread(bundle.url),
      });
      opened.push(storage);
      return storage;
    },
  };
}

/** One transaction of the gateway's own. */
export function within<T>(
  storage: Storage,
  work: (tx: StorageTransaction) => Promise<T>,
): Promise<T> {
  return storage.withPrincipal(systemPrincipal, work);
}
