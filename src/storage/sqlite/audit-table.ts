import type { Kysely, Selectable } from "kysely";
import type { AuditEvent } from "../../core/audit.ts";
import { isJsonObject } from "../../core/json.ts";
import type { StorageTransaction } from "../../core/storage.ts";
import type { Schema } from "./schema.ts";
import type { StorageWorker } from "./storage-worker.ts";

/** Written by hand: one prepared statement for a whole batch, without a query built for each row. */
const insertRow = `INSERT INTO mcp_audit_log
  (id, tool_name, params, status, duration_ms, user_id, organization_id, project_id, session_id, client_name, created_at)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`;

/** `mcp_audit_log`, inside the transaction given, which must be the one open in `worker`. */
export function createAuditTable(
  db: Kysely<Schema>,
  worker: StorageWorker,
): StorageTransaction["audit"] {
  return {
    async appendAll(events) {
      const rows = events.map((event) => [
        event.id,
        event.toolName,
        JSON.stringify(event.params),
        event.status,
        event.durationMs,
        event.userId,
        event.organizationId,
        event.projectId,
        event.sessionId,
        event.clientName,
        event.timeMs,
      ]);
      await worker.executeMany(insertRow, rows);
    },
    async list({ limit, beforeMs }) {
      let query = db.selectFrom("mcp_audit_log").selectAll();
      if (beforeMs !== undefined) {
        query = query.where("created_at", "<", beforeMs);
      }
      const rows = await query
        .orderBy("created_at", "desc")
        .orderBy("sequence", "desc")
        .limit(limit)
        .execute();
      return rows.map(eventOf);
    },
  };
}

function eventOf(row: Selectable<Schema["mcp_audit_log"]>): AuditEvent {
  const params: unknown = JSON.parse(row.params);
  return {
    id: row.id,
    timeMs: row.created_at,
    toolName: row.tool_name,
    params: isJsonObject(params) ? params : {},
    status: row.status,
    durationMs: row.duration_ms,
    userId: row.user_id,
    organizationId: row.organization_id,
    projectId: row.project_id,
    sessionId: row.session_id,
    clientName: row.client_name,
  };
}
