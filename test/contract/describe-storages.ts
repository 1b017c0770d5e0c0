import { randomUUID } from "node:crypto";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe } from "vitest";
import { systemPrincipal } from "../../src/core/principal.ts";
import type { Storage, StorageTransaction } from "../../src/core/storage.ts";
import { createMemoryStorage } from "../../src/storage/memory-storage.ts";
import { openSqliteStorage } from "../storage/support/open-sqlite-storage.ts";
import { startStorageThread } from "../../src/storage/sqlite/storage-worker.ts";
import { createSilentLogger } from "../storage/support/silent-logger.ts";
import { bundleStorageWorker } from "../storage/support/storage-worker-bundle.ts";

/** What a storage throws that cannot do what it was asked, whatever the reason. */
export const refused = { code: "store_unavailable" };

export interface StorageUnderTest {
  /** A new one for each test. */
  readonly storage: Storage;
  readonly within: <T>(work: (tx: StorageTransaction) => Promise<T>) => Promise<T>;
}

/** Runs one suite on every adapter of the storage port. */
export function describeStorages(suite: (under: StorageUnderTest) => void): void {
  let bundle: Awaited<ReturnType<typeof bundleStorageWorker>>;
  let directory: string;

  beforeAll(async () => {
    bundle = await bundleStorageWorker();
    directory = await mkdtemp(join(tmpdir(), "onedoor-storage-"));
  });
  afterAll(async () => {
    await bundle.remove();
    await rm(directory, { recursive: true, force: true });
  });

  const adapters: Record<string, () => Promise<Storage>> = {
    memory: async () => createMemoryStorage(randomUUID()),
    sqlite: () => {
      const place = join(directory, randomUUID());
      return openSqliteStorage({
        file: join(place, "onedoor.db"),
        lockFile: join(place, "owner.lock"),
        now: Date.now,
        newId: randomUUID,
        logger: createSilentLogger(),
        thread: startStorageThread(bundle.url),
      });
    },
  };

  describe.each(Object.entries(adapters))("storage in %s", (_name, open) => {
    let storage: Storage;
    beforeEach(async () => {
      storage = await open();
    });
    afterEach(() => storage.close());
    suite({
      get storage() {
        return storage;
      },
      within: (work) => storage.withPrincipal(systemPrincipal, work),
    });
  });
}
