import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "libsql";
import { beforeEach, expect, test } from "vitest";
import { migrate } from "../../src/storage/sqlite/migrations.ts";
import { auditRows } from "./support/audit-rows.ts";
import { event, token } from "./support/rows.ts";
import { useStoragePlace, within } from "./support/storage-place.ts";
import { writeVersion1 } from "./support/version-1.ts";

const place = useStoragePlace();
beforeEach(async () => {
  await mkdir(place.state, { mode: 0o700 });
  writeVersion1(place.file);
});

const select = (sql: string, file = place.file): unknown[] => {
  const database = new Database(file);
  try {
    return database.prepare(sql).raw(true).all();
  } finally {
    database.close();
  }
};

const schemaOf = (file: string): string[] =>
  select("SELECT type, name, sql FROM sqlite_master ORDER BY type, name", file).map((row) =>
    JSON.stringify(row).replaceAll(/(?:\\n| )+/g, " "),
  );

test("a database of version 1 keeps its instance, its tokens and its audit rows", async () => {
  const storage = await place.open();
  expect(storage.instanceId).toBe("the-first-instance-of-all");
  const cli = { name: "cli", userId: "ada", organizationId: null, role: null, scopes: [] };
  const times = { createdAtMs: 1000, expiresAtMs: 2000 };
  expect(await within(storage, (tx) => tx.tokens.all())).toStrictEqual([
    { id: "t1", hash: "hash-1", kind: "cli", ...cli, ...times, revokedAtMs: null },
    // Of a token that is taken back not even the hash is kept any more.
    { id: "t2", hash: null, kind: "cli", ...cli, ...times, revokedAtMs: 1500 },
  ]);
  const rows = await auditRows(storage);
  expect(rows).toMatchObject([
    {
      sequence: 3,
      id: "e3",
      toolName: "a__x",
      params: { n: 3 },
      status: "success",
      durationMs: 1.5,
    },
    { sequence: 4, id: "e4", timeMs: 20, projectId: "p", sessionId: null, status: "error" },
    { sequence: 9, id: "e9", timeMs: 40, userId: "bob", status: "denied" },
  ]);
  expect(place.logger.errors).toStrictEqual([]);
});

test("a migrated database takes what a new one takes, and goes on counting", async () => {
  const storage = await place.open();
  await within(storage, async (tx) => {
    await tx.tokens.insert(token({ kind: "personal", expiresAtMs: null }));
    await tx.audit.prune(1_000, 10);
    await tx.audit.appendAll([event()]);
  });
  expect(await auditRows(storage)).toMatchObject([{ sequence: 10 }]);
});

test("a migrated database has the schema of a new one", async () => {
  await (await place.open()).close();
  const fresh = join(place.state, "fresh.db");
  const database = new Database(fresh);
  migrate(database, 0);
  database.close();
  expect(schemaOf(place.file)).toStrictEqual(schemaOf(fresh));
});

test("a second start changes nothing", async () => {
  await (await place.open()).close();
  const migrated = await readFile(place.file);
  await (await place.open()).close();
  expect((await readFile(place.file)).equals(migrated)).toBe(true);
});

test("a migration that fails leaves the database as it was, and is tried again", async () => {
  const database = new Database(place.file);
  // The last of the tables: what the migration did before is undone.
  database.exec("CREATE TABLE new_mcp_audit_log (in_the_way TEXT)");
  database.close();
  await expect(place.open()).rejects.toMatchObject({
    code: "store_unavailable",
    message: `The database ${place.file} cannot be opened`,
  });
  expect(select("SELECT id, hash FROM minted_tokens")).toHaveLength(2);
  expect(select("SELECT max(version) FROM schema_migrations")).toStrictEqual([[1]]);
  expect(select("SELECT count(*) FROM sqlite_master WHERE name = 'users'")).toStrictEqual([[0]]);

  const repaired = new Database(place.file);
  repaired.exec("DROP TABLE new_mcp_audit_log");
  repaired.close();
  const storage = await place.open();
  expect(await within(storage, (tx) => tx.tokens.all())).toHaveLength(2);
});
