import type { Kysely } from "kysely";
import type { StorageTransaction } from "../../core/storage.ts";
import { storableText } from "../storable.ts";
import type { Schema } from "./schema.ts";
import type { StorageWorker } from "./storage-worker.ts";

/**
 * Written by hand: one prepared statement for a whole batch, without a query built for each row. An event that
 * is there already stays: its writer did not hear that it was written, and writes it again.
 */
const insertRow = `INSERT INTO mcp_audit_log
  (id, created_at, tool_name, status, duration_ms, user_id, organization_id, project_id, session_id, client_name, params)
  VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING`;

/** `mcp_audit_log`, inside the transaction given, which must be the one open in `worker`. */
export function createAuditTable(
  db: Kysely<Schema>,
  worker: Pick<StorageWorker, "executeMany">,
): StorageTransaction["audit"] {
  return {
    async appendAll(events) {
      const rows = events.map((event) => [
        event.id,
        event.timeMs,
        storableText(event.toolName),
        event.status,
        event.durationMs,
        textOrNull(event.userId),
        textOrNull(event.organizationId),
        textOrNull(event.projectId),
        textOrNull(event.sessionId),
        storableText(event.clientName),
        JSON.stringify(event.params),
      ]);
      await worker.executeMany(insertRow, rows);
    },
    async prune(beforeMs, limit) {
      const oldest = db
        .selectFrom("mcp_audit_log")
        .select("sequence")
        .where("created_at", "<", beforeMs)
        .orderBy("created_at")
        .orderBy("sequence")
        .limit(limit);
      const { numDeletedRows } = await db
        .deleteFrom("mcp_audit_log")
        .where("sequence", "in", oldest)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

function textOrNull(text: string | null): string | null {
  return text === null ? null : storableText(text);
}
