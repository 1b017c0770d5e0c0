import Database from "libsql";
import { migrate } from "../../../src/storage/sqlite/migrations.ts";

/** A database as the second version of the program made it: by its own migrations, with rows of every table. */
export function writeVersion2(file: string): void {
  const database = new Database(file);
  database.exec("PRAGMA journal_mode = WAL; PRAGMA foreign_keys = ON");
  migrate(database, 1_763_000_000_000, 2);
  database.exec(`
    INSERT INTO meta VALUES ('instance_id', 'an-instance-of-version-2');
    INSERT INTO organizations VALUES ('acme', 'Acme', 10, NULL), ('gone', 'Gone', 11, 12);
    INSERT INTO users VALUES ('ada', 'Ada', 20, NULL), ('lost', 'Lost', 21, 22);
    INSERT INTO members VALUES ('acme', 'ada', 'admin', 30, NULL), ('acme', 'lost', 'viewer', 31, 32);
    INSERT INTO minted_tokens VALUES
      ('t1', 'hash-1', 'cli', 'command line', 'root', NULL, NULL, '[]', 1000, 2000, NULL),
      ('t2', 'hash-2', 'personal', 'ci', 'ada', 'acme', 'viewer', '["metrics"]', 1001, NULL, NULL),
      ('t3', NULL, 'personal', 'old', 'ada', 'acme', NULL, '[]', 1002, 2000, 1500);
    INSERT INTO change_history VALUES
      (7, 'c7', 'user', 'root', NULL, 'user', 'ada', 'created', NULL, '{"id":"ada"}', 20);
    INSERT INTO mcp_audit_log VALUES
      (9, 'e9', 40, 'a__z', 'denied', 2, 'bob', NULL, NULL, NULL, 'unknown', '{}');
  `);
  database.close();
}
