import { spawn } from "node:child_process";
import { once } from "node:events";
import { expect, test } from "vitest";
import { createAuditSink } from "../../src/storage/audit-sink.ts";
import { auditRows } from "./support/audit-rows.ts";
import { event } from "./support/rows.ts";
import { useStoragePlace, within } from "./support/storage-place.ts";

const place = useStoragePlace();

test("audit events wait while another process holds the database, and are all written afterwards", async () => {
  const storage = await place.open();
  const { logger, bundle, file } = place;
  const audit = createAuditSink({ storage, logger, now: Date.now, maxQueued: 1000, batchMs: 10 });
  const holder = spawn(process.execPath, [bundle.holdScript, file], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = once(holder, "exit");
  try {
    await once(holder.stdout, "data");
    for (let count = 0; count < 500; count += 1) audit.append(event({ sessionId: "while held" }));
    // SQLite waits two seconds for the lock; the time of the batch is over long before.
    await expect(within(storage, (tx) => tx.audit.prune(0, 1))).rejects.toMatchObject({
      code: "store_unavailable",
    });
    for (let count = 0; count < 100; count += 1) audit.append(event({ sessionId: "later" }));
    expect([audit.queued, audit.dropped]).toStrictEqual([600, 0]);
  } finally {
    holder.stdin.end();
    await ended;
  }
  await audit.flush();
  const rows = await auditRows(storage);
  expect(rows.map(({ sequence }) => sequence)).toStrictEqual(
    Array.from({ length: 600 }, (_, at) => at + 1),
  );
  expect(rows.map(({ sessionId }) => sessionId)).toStrictEqual([
    ...Array.from({ length: 500 }, () => "while held"),
    ...Array.from({ length: 100 }, () => "later"),
  ]);
  expect([audit.queued, audit.dropped, logger.errors]).toStrictEqual([0, 0, []]);
});
