import { readFile, rename, rm, writeFile } from "node:fs/promises";
import Database from "libsql";
import { beforeEach, expect, test, vi } from "vitest";
import type { Storage } from "../../src/core/storage.ts";
import { createAuditSink } from "../../src/storage/audit-sink.ts";
import { auditRows } from "./support/audit-rows.ts";
import { event, user } from "./support/rows.ts";
import { useStoragePlace, within } from "./support/storage-place.ts";

const place = useStoragePlace();
const gone = {
  code: "store_unavailable",
  message: "The gateway's database was removed or replaced while it ran",
};
let storage: Storage;
beforeEach(async () => {
  storage = await place.open();
  await within(storage, (tx) => tx.users.insert(user()));
});

const write = (id: string): Promise<void> => within(storage, (tx) => tx.users.insert(user({ id })));

test.each(["", "-wal"])("nothing is written when onedoor.db%s was removed", async (suffix) => {
  await rm(place.file + suffix);
  await expect(write("bob")).rejects.toMatchObject(gone);
  await expect(write("bob")).rejects.toMatchObject(gone);
  expect(place.logger.errors).toStrictEqual([gone.message]);
});

test("nothing is written into a file that was put in its place", async () => {
  const theirs = `${place.file}.theirs`;
  const other = new Database(theirs);
  other.exec("CREATE TABLE theirs (id TEXT)");
  other.close();
  const before = await readFile(theirs);
  await rename(place.file, `${place.file}.ours`);
  await rename(theirs, place.file);
  await expect(write("bob")).rejects.toMatchObject(gone);
  expect((await readFile(place.file)).equals(before)).toBe(true);
});

test("what was put back is written again", async () => {
  await rename(place.file, `${place.file}.away`);
  await expect(write("bob")).rejects.toMatchObject(gone);
  await rename(`${place.file}.away`, place.file);
  await write("bob");
  await storage.close();
  const again = await place.open();
  expect(await within(again, (tx) => tx.users.all())).toHaveLength(2);
});

test("audit events are counted as lost, and that is said", async () => {
  const { logger } = place;
  const audit = createAuditSink({ storage, logger, now: Date.now, maxQueued: 1000, batchMs: 1 });
  audit.append(event());
  await audit.flush();
  await rm(place.file);
  await writeFile(place.file, "somebody else's");
  for (let count = 0; count < 300; count += 1) audit.append(event());
  await vi.waitUntil(() => audit.queued === 0);
  expect(audit.dropped).toBe(300);
  expect(new Set(logger.errors)).toStrictEqual(new Set([gone.message, "Audit events are lost"]));
  expect(await readFile(place.file, "utf8")).toBe("somebody else's");
  expect(await auditRows(storage)).toHaveLength(1);
});
