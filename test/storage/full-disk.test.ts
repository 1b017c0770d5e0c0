import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import { promisify } from "node:util";
import Database from "libsql";
import { expect, test } from "vitest";
import { startStorageThread } from "../../src/storage/sqlite/storage-worker.ts";
import { createWorkerStorage } from "../../src/storage/sqlite/worker-storage.ts";
import type { FilledDisk } from "./support/fill-disk.ts";
import { auditRows } from "./support/audit-rows.ts";
import { event, user } from "./support/rows.ts";
import { useStoragePlace, within } from "./support/storage-place.ts";

const place = useStoragePlace();

/** Blocks of 512 bytes (POSIX `ulimit -f`): some megabytes, hit by the write-ahead log or by the database. */
test.each([2_000, 6_000, 10_000])(
  "a file that may not grow fails the write, leaves nothing half-written and opens again (%i blocks)",
  async (blocks) => {
    const { bundle, file, lockFile } = place;
    const { stdout } = await promisify(execFile)("sh", [
      "-c",
      // Node ignores SIGXFSZ, so that the write fails (EFBIG) and nobody is killed.
      `ulimit -f ${blocks} && exec "$@"`,
      "sh",
      process.execPath,
      bundle.fillScript,
      bundle.url.href,
      file,
      lockFile,
    ]);
    const filled: FilledDisk = JSON.parse(stdout);
    expect(filled.written).toBeGreaterThan(0);
    expect(filled).toStrictEqual({
      written: filled.written,
      failures: Array.from({ length: 5 }, () => "store_unavailable"),
      users: filled.written,
      rows: 10 * filled.written,
    });

    const database = new Database(file);
    expect(database.prepare("PRAGMA quick_check").raw(true).all()).toStrictEqual([["ok"]]);
    database.close();
    const storage = await place.open();
    expect(place.logger.errors).toStrictEqual([]);
    await within(storage, (tx) => tx.users.insert(user({ id: "there is room again" })));
    expect(await within(storage, (tx) => tx.users.all())).toHaveLength(filled.written + 1);
    const rows = await auditRows(storage);
    expect(rows).toHaveLength(10 * filled.written);
  },
);

test("a full database fails the write, leaves nothing of it, and works when there is room", async () => {
  const { bundle, file, lockFile, logger } = place;
  const start = { file, lockFile, newInstanceId: randomUUID(), nowMs: 0 };
  const worker = await startStorageThread(bundle.url).open(start, () => undefined);
  const storage = createWorkerStorage(worker, logger);
  try {
    const { rows } = await worker.execute("PRAGMA page_count", []);
    await worker.execute(`PRAGMA max_page_count = ${Number(rows[0]?.[0]) + 3}`, []);
    const write = () =>
      within(storage, async (tx) => {
        await tx.users.insert(user());
        const params = { text: "x".repeat(4_000) };
        await tx.audit.appendAll(Array.from({ length: 20 }, () => event({ params })));
      });
    await expect(write()).rejects.toMatchObject({
      code: "store_unavailable",
      message: "The disk of the gateway's database is full",
      cause: { message: expect.stringMatching(/full/u) },
    });
    expect(await within(storage, (tx) => tx.users.all())).toStrictEqual([]);
    await within(storage, (tx) => tx.users.insert(user({ id: "small" })));
    await worker.execute("PRAGMA max_page_count = 100000", []);
    await write();
    expect(await within(storage, (tx) => tx.users.all())).toHaveLength(2);
    expect(await auditRows(storage)).toHaveLength(20);
  } finally {
    await storage.close();
  }
});
