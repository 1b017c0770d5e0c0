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
  {
    name: "organizations, users, members, personal tokens, change history",
    sql: `
      CREATE TABLE organizations (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        deleted_at INTEGER
      ) STRICT;

      CREATE TABLE users (
        id TEXT PRIMARY KEY,
        name TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        deleted_at INTEGER
      ) STRICT;

      CREATE TABLE members (
        organization_id TEXT NOT NULL REFERENCES organizations (id) ON DELETE CASCADE,
        user_id TEXT NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        role TEXT NOT NULL CHECK (role IN ('viewer', 'editor', 'admin')),
        created_at INTEGER NOT NULL,
        deleted_at INTEGER,
        PRIMARY KEY (organization_id, user_id)
      ) STRICT;
      CREATE INDEX members_user ON members (user_id);

      -- A token without an organisation is for the local owner or a configured name: no row of users.
      CREATE TABLE new_minted_tokens (
        id TEXT PRIMARY KEY,
        hash TEXT UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('cli', 'personal')),
        name TEXT NOT NULL,
        user_id TEXT NOT NULL,
        organization_id TEXT,
        role TEXT CHECK (role IN ('viewer', 'editor', 'admin')),
        scopes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        revoked_at INTEGER,
        FOREIGN KEY (organization_id, user_id)
          REFERENCES members (organization_id, user_id) ON DELETE CASCADE
      ) STRICT;
      -- An administrator's token of before was no limit: it is one that follows its user.
      INSERT INTO new_minted_tokens
        SELECT id, CASE WHEN revoked_at IS NULL THEN hash END, kind, 'cli', user_id, NULL,
               nullif(role, 'admin'), '[]', created_at, expires_at, revoked_at
        FROM minted_tokens ORDER BY rowid;
      DROP TABLE minted_tokens;
      ALTER TABLE new_minted_tokens RENAME TO minted_tokens;
      CREATE INDEX minted_tokens_member ON minted_tokens (organization_id, user_id)
        WHERE organization_id IS NOT NULL;

      -- A purge may remove its newest row: AUTOINCREMENT goes on counting, so that no sequence is given twice.
      CREATE TABLE change_history (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        actor TEXT NOT NULL,
        user_id TEXT,
        organization_id TEXT,
        entity TEXT NOT NULL,
        entity_id TEXT NOT NULL,
        action TEXT NOT NULL,
        before TEXT,
        after TEXT,
        created_at INTEGER NOT NULL
      ) STRICT;
      CREATE INDEX change_history_entity ON change_history (entity, entity_id, sequence);

      -- Retention may empty it: AUTOINCREMENT goes on counting, for whoever follows it by the sequence.
      -- The parameters stand last: whoever filters by what stands before them does not read them.
      CREATE TABLE new_mcp_audit_log (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        id TEXT NOT NULL UNIQUE,
        created_at INTEGER NOT NULL,
        tool_name TEXT NOT NULL,
        status TEXT NOT NULL CHECK (status IN ('success', 'error', 'denied')),
        duration_ms REAL NOT NULL,
        user_id TEXT,
        organization_id TEXT,
        project_id TEXT,
        session_id TEXT,
        client_name TEXT NOT NULL,
        params TEXT NOT NULL
      ) STRICT;
      INSERT INTO new_mcp_audit_log
        SELECT sequence, id, created_at, tool_name, status, duration_ms, user_id, organization_id,
               project_id, session_id, client_name, params
        FROM mcp_audit_log ORDER BY sequence;
      DROP TABLE mcp_audit_log;
      ALTER TABLE new_mcp_audit_log RENAME TO mcp_audit_log;
      CREATE INDEX mcp_audit_log_time ON mcp_audit_log (created_at);
      -- The sequence is part of each index: a page is read in its order, whatever the log's size.
      CREATE INDEX mcp_audit_log_user ON mcp_audit_log (user_id) WHERE user_id IS NOT NULL;
      CREATE INDEX mcp_audit_log_organization ON mcp_audit_log (organization_id)
        WHERE organization_id IS NOT NULL;
      CREATE INDEX mcp_audit_log_session ON mcp_audit_log (session_id) WHERE session_id IS NOT NULL;
    `,
  },
  {
    name: "passwords, disabled users, sessions",
    sql: `
      ALTER TABLE users ADD COLUMN password_hash TEXT;
      ALTER TABLE users ADD COLUMN password_set_at INTEGER
        CHECK ((password_set_at IS NULL) = (password_hash IS NULL));
      ALTER TABLE users ADD COLUMN disabled_at INTEGER;

      CREATE TABLE new_minted_tokens (
        id TEXT PRIMARY KEY,
        hash TEXT UNIQUE,
        kind TEXT NOT NULL CHECK (kind IN ('cli', 'personal', 'session')),
        name TEXT NOT NULL,
        user_id TEXT NOT NULL,
        organization_id TEXT,
        role TEXT CHECK (role IN ('viewer', 'editor', 'admin')),
        scopes TEXT NOT NULL,
        created_at INTEGER NOT NULL,
        expires_at INTEGER,
        refresh_hash TEXT UNIQUE,
        refresh_family_hash TEXT UNIQUE,
        refresh_expires_at INTEGER,
        revoked_at INTEGER,
        FOREIGN KEY (organization_id, user_id)
          REFERENCES members (organization_id, user_id) ON DELETE CASCADE,
        CHECK ((refresh_hash IS NULL) = (refresh_expires_at IS NULL)),
        CHECK ((refresh_hash IS NULL) = (refresh_family_hash IS NULL))
      ) STRICT;
      INSERT INTO new_minted_tokens
        SELECT id, hash, kind, name, user_id, organization_id, role, scopes, created_at, expires_at,
               NULL, NULL, NULL, revoked_at
        FROM minted_tokens ORDER BY rowid;
      DROP TABLE minted_tokens;
      ALTER TABLE new_minted_tokens RENAME TO minted_tokens;
      CREATE INDEX minted_tokens_member ON minted_tokens (organization_id, user_id)
        WHERE organization_id IS NOT NULL;
    `,
  },
  {
    name: "tool pins",
    sql: `
      -- tool is JSON: a name in any letters, or null for the server's instructions.
      CREATE TABLE tool_pins (
        server TEXT NOT NULL,
        identity TEXT NOT NULL,
        tool TEXT NOT NULL,
        hash TEXT,
        definition TEXT CHECK ((definition IS NULL) = (hash IS NULL)),
        pinned_at INTEGER NOT NULL,
        said_hashes TEXT NOT NULL,
        PRIMARY KEY (server, identity, tool)
      ) STRICT;
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

/**
 * Brings the schema up to date, each step in a transaction of its own.
 * @param nowMs milliseconds since the epoch
 * @param version the one to stop at
 */
export function migrate(
  database: Database.Database,
  nowMs: number,
  version: number = knownVersion,
): void {
  database.exec(`CREATE TABLE IF NOT EXISTS schema_migrations (
    version INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    applied_at INTEGER NOT NULL
  ) STRICT`);
  const done = versionOf(database);
  for (const [index, { name, sql }] of migrations.entries()) {
    if (index >= done && index < version) {
      database.transaction(() => {
        database.exec(sql);
        database
          .prepare("INSERT INTO schema_migrations (version, name, applied_at) VALUES (?, ?, ?)")
          .run([index + 1, name, nowMs]);
      })();
    }
  }
}
