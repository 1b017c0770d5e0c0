import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import Database from "libsql";
import { beforeEach, expect, test } from "vitest";
import { migrate } from "../../src/storage/sqlite/migrations.ts";
import { auditRows } from "./support/audit-rows.ts";
import { event, token, user } from "./support/rows.ts";
import { useStoragePlace, within } from "./support/storage-place.ts";
import { writeVersion1 } from "./support/version-1.ts";
import { writeVersion2 } from "./support/version-2.ts";

const place = useStoragePlace();
beforeEach(() => mkdir(place.state, { mode: 0o700 }));

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
  writeVersion1(place.file);
  const storage = await place.open();
  expect(storage.instanceId).toBe("the-first-instance-of-all");
  const cli = { name: "cli", userId: "ada", organizationId: null, role: null, scopes: [] };
  const times = { createdAtMs: 1000, expiresAtMs: 2000, refresh: null };
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

test("a database of version 2 keeps everything, and its users have no password", async () => {
  writeVersion2(place.file);
  const storage = await place.open();
  expect(storage.instanceId).toBe("an-instance-of-version-2");
  const nothing = { password: null, disabledAtMs: null };
  const expected = {
    organizations: [
      { id: "acme", name: "Acme", createdAtMs: 10, deletedAtMs: null },
      { id: "gone", name: "Gone", createdAtMs: 11, deletedAtMs: 12 },
    ],
    users: [
      { id: "ada", name: "Ada", ...nothing, createdAtMs: 20, deletedAtMs: null },
      { id: "lost", name: "Lost", ...nothing, createdAtMs: 21, deletedAtMs: 22 },
    ],
    members: [
      { organizationId: "acme", userId: "ada", role: "admin", createdAtMs: 30, deletedAtMs: null },
      { organizationId: "acme", userId: "lost", role: "viewer", createdAtMs: 31, deletedAtMs: 32 },
    ],
    tokens: [
      token({ id: "t1", hash: "hash-1", name: "command line", userId: "root", role: null }),
      token({
        id: "t2",
        hash: "hash-2",
        kind: "personal",
        name: "ci",
        organizationId: "acme",
        role: "viewer",
        scopes: ["metrics"],
        createdAtMs: 1001,
        expiresAtMs: null,
      }),
      token({
        id: "t3",
        hash: null,
        kind: "personal",
        name: "old",
        organizationId: "acme",
        role: null,
        createdAtMs: 1002,
        revokedAtMs: 1500,
      }),
    ],
    changes: [expect.objectContaining({ sequence: 7, id: "c7", after: { id: "ada" } })],
  };
  const found = await within(storage, async (tx) => ({
    organizations: await tx.organizations.all(),
    users: await tx.users.all(),
    members: await tx.members.all(),
    tokens: await tx.tokens.all(),
    changes: await tx.changes.list({ limit: 10 }),
  }));
  expect(found).toStrictEqual(expected);
  expect(await auditRows(storage)).toMatchObject([{ sequence: 9, id: "e9", status: "denied" }]);
  expect(select("PRAGMA foreign_key_check")).toStrictEqual([]);

  // It is now what a new one is: sessions and passwords have their place, and references still hold.
  const [ada] = found.users;
  await within(storage, async (tx) => {
    await tx.users.replace({ ...user(ada), password: { hash: "h", setAtMs: 50 } });
    await tx.tokens.insert(
      token({
        kind: "session",
        organizationId: "acme",
        refresh: { hash: "r", familyHash: "f", expiresAtMs: 9000 },
      }),
    );
    await tx.users.replace({ ...user(ada), deletedAtMs: 60 });
    await tx.users.purge(61);
  });
  expect((await within(storage, (tx) => tx.tokens.all())).map(({ id }) => id)).toStrictEqual([
    "t1",
  ]);
  expect(place.logger.errors).toStrictEqual([]);
});

test.each([5, 99])("a database of version %i is refused, and left as it is", async (version) => {
  const database = new Database(place.file);
  migrate(database, 0);
  database.exec(`INSERT INTO schema_migrations VALUES (${version}, 'of later', 0)`);
  database.close();
  const before = await readFile(place.file);
  await expect(place.open()).rejects.toMatchObject({
    code: "store_unavailable",
    message: `${place.file} was written by a newer version of this program (schema ${version}, this one knows 4)`,
  });
  expect((await readFile(place.file)).equals(before)).toBe(true);
});

test("a migrated database takes what a new one takes, and goes on counting", async () => {
  writeVersion1(place.file);
  const storage = await place.open();
  await within(storage, async (tx) => {
    await tx.tokens.insert(token({ kind: "personal", expiresAtMs: null }));
    await tx.audit.prune(1_000, 10);
    await tx.audit.appendAll([event()]);
  });
  expect(await auditRows(storage)).toMatchObject([{ sequence: 10 }]);
});

test.each([
  ["1", writeVersion1],
  ["2", writeVersion2],
])("a database migrated from version %s has the schema of a new one", async (_version, write) => {
  write(place.file);
  await (await place.open()).close();
  const fresh = join(place.state, "fresh.db");
  const database = new Database(fresh);
  migrate(database, 0);
  database.close();
  expect(schemaOf(place.file)).toStrictEqual(schemaOf(fresh));
});

test("a second start changes nothing", async () => {
  writeVersion1(place.file);
  await (await place.open()).close();
  const migrated = await readFile(place.file);
  await (await place.open()).close();
  expect((await readFile(place.file)).equals(migrated)).toBe(true);
});

test.each([
  ["new_mcp_audit_log", 1, writeVersion1],
  ["new_minted_tokens", 2, writeVersion2],
])(
  "a migration that %s fails leaves version %i as it was, and is tried again",
  async (...given) => {
    const [table, version, write] = given;
    write(place.file);
    const database = new Database(place.file);
    // One of its last tables: what the migration did before is undone.
    database.exec(`CREATE TABLE ${table} (in_the_way TEXT)`);
    database.close();
    await expect(place.open()).rejects.toMatchObject({
      code: "store_unavailable",
      message: `The database ${place.file} cannot be opened`,
    });
    const tokens = select("SELECT id, hash FROM minted_tokens");
    expect(tokens).toHaveLength(version === 1 ? 2 : 3);
    expect(select("SELECT max(version) FROM schema_migrations")).toStrictEqual([[version]]);
    expect(
      select("SELECT count(*) FROM pragma_table_info('users') WHERE name = 'disabled_at'"),
    ).toStrictEqual([[0]]);
    expect(select("SELECT count(*) FROM sqlite_master WHERE name = 'users'")).toStrictEqual([
      [version - 1],
    ]);

    const repaired = new Database(place.file);
    repaired.exec(`DROP TABLE ${table}`);
    repaired.close();
    const storage = await place.open();
    expect(await within(storage, (tx) => tx.tokens.all())).toHaveLength(tokens.length);
  },
);
