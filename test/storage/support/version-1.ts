import Database from "libsql";

/** A database as the first version of the program made it, with two tokens and three audit rows. */
export function writeVersion1(file: string): void {
  const database = new Database(file);
  database.exec(`
    PRAGMA journal_mode = WAL;
    CREATE TABLE schema_migrations (
      version INTEGER PRIMARY KEY,
      name TEXT NOT NULL,
      applied_at INTEGER NOT NULL
    ) STRICT;
    INSERT INTO schema_migrations VALUES (1, 'meta, minted tokens, audit log', 1763000000000);
    CREATE TABLE meta (
      key TEXT PRIMARY KEY,
      value TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    INSERT INTO meta VALUES ('instance_id', 'the-first-instance-of-all');
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
    INSERT INTO minted_tokens VALUES
      ('t1', 'hash-1', 'cli', 'ada', 'admin', 1000, 2000, NULL),
      ('t2', 'hash-2', 'cli', 'ada', 'admin', 1000, 2000, 1500);
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
    INSERT INTO mcp_audit_log VALUES
      (3, 'e3', 'a__x', '{"n":3}', 'success', 1.5, 'ada', NULL, NULL, 's1', 'cursor', 30),
      (4, 'e4', 'a__y', '{}', 'error', 0, NULL, NULL, 'p', NULL, 'unknown', 20),
      (9, 'e9', 'a__z', '{}', 'denied', 2, 'bob', NULL, NULL, NULL, 'unknown', 40);
  `);
  database.close();
}
