import { copyFileSync, existsSync, mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import Database from "libsql";

/** @typedef {{sequence: number, status: string, tool: string, mark: string | undefined}} AuditRow */

/**
 * Opens a copy of a gateway's database as it lies there after the gateway's end, so that the file itself is
 * recovered by nobody but the next gateway.
 * @param {string} stateDir
 * @param {number} after rows written after this one
 * @returns {{check: string, rows: AuditRow[], total: number}} what `PRAGMA quick_check` says; the rows, by the
 *   order of writing, with the argument `text` of their call; how many rows there are in all
 */
export function readAuditRows(stateDir, after) {
  const folder = mkdtempSync(join(stateDir, "..", "copy-"));
  try {
    for (const suffix of ["", "-wal"]) {
      const file = join(stateDir, `onedoor.db${suffix}`);
      if (existsSync(file)) copyFileSync(file, join(folder, `onedoor.db${suffix}`));
    }
    const database = new Database(join(folder, "onedoor.db"));
    try {
      const check = JSON.stringify(database.prepare("PRAGMA quick_check").raw(true).all());
      const [total] = database.prepare("SELECT count(*) FROM mcp_audit_log").raw(true).all().flat();
      const found = database
        .prepare(
          "SELECT sequence, status, tool_name AS tool, params FROM mcp_audit_log WHERE sequence > ? ORDER BY sequence",
        )
        .all([after]);
      return {
        check,
        total: Number(total),
        rows: /** @type {any[]} */ (found).map(({ sequence, status, tool, params }) => ({
          sequence,
          status,
          tool,
          mark: JSON.parse(params).text,
        })),
      };
    } finally {
      database.close();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
