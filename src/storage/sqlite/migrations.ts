import type Database from "libsql";

/**
 * What was done to the schema, in order. A published entry never changes: a new one follows it. Times are
 * milliseconds since the epoch.
 */
const migrations: readonly { name: string; sql: string }[] = [
  {
    name: "meta, minted tokens, audit log",
    sql: `
      CREATE TABLE meta (
        key TEXT PRIMARY KEY,
        value TEXT NOT NULL
      ) STRICT, WITHOUT ROWID;

      CREATE TABLE minted_tokens (
        id TEXT PRIMARY KEY,
        hash TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('cli')),
        user_id TEXT NOT NULL,
        role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
        created_at INTEGER NOT NULL,
        expires_at INTEGER NOT NULL,
        revoked_at INTEGER
      ) STRICT;
      CREATE INDEX minted_tokens_expiry ON minted_tokens (expires_at);

      CREATE TABLE mcp_audit_log (
        sequence INTEGER PRIMARY KEY,
        id TEXT NOT NULL UNIQUE,
        tool_name TEXT NOT NULL,
        params TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('success', 'error', 'denied')),
        duration_ms REAL NOT NULL,
        user_id TEXT,
        organization_id TEXT,
        project_id TEXT,
        session_id TEXT,
        client_name TEXT NOT NULL,
        created_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX mcp_audit_log_time ON mcp_audit_log (created_at, sequence);
    `,
  },
];

/** The schema version this program makes and understands. */
export const knownVersion = migrations.length;

/** The schema version a database stands at; 0 for an empty one. Changes nothing. */
export function versionOf(database: Database.Database): number {
  const table = database
    .prepare("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_migrations'")
    .raw(true)
    .all();
  if (table.length === 0) {
    return 0;
  }
  const [row] = database.prepare("SELECT max(version) FROM schema_migrations").raw(true).all();
  const version: unknown = Array.isArray(row) ? row[0] : undefined;
  return typeof version === "number" ? version : 0;
}

/** Brings the schema up to date, each step in a transaction of its own. `nowMs`: milliseconds since the epoch. */
export function migrate(database: Database.Database, nowMs: number): void {
  database.exec(`CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at INTEGER NOT NULL
  ) STRICT`);
  const done = versionOf(database);
  for (const [index, { name, sql }] of migrations.entries()) {
    if (index >= done) {
      database.transaction(() => {
        database.exec(sql);
        database
          .prepare("INSERT INTO schema_migrations (version, name, applied_at) VALUES (?, ?, ?)")
          .run([index + 1, name, nowMs]);
      })();
    }
  }
}
