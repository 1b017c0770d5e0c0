import type { Kysely, RawBuilder, Selectable } from "kysely";
import { sql } from "kysely";
import type { AuditQuery, AuditRow } from "../../core/audit.ts";
import { isJsonObject } from "../../core/json.ts";
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
    async list(query) {
      const conditions = conditionsOf(query);
      const rows = await db
        .selectFrom("mcp_audit_log")
        .selectAll()
        .where((eb) => eb.and(conditions))
        .orderBy("sequence", query.order === "newest" ? "desc" : "asc")
        .limit(query.limit)
        .execute();
      return rows.map(rowOf);
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

type Condition = RawBuilder<boolean>;

const equalColumns = [
  ["status", "status"],
  ["userId", "user_id"],
  ["organizationId", "organization_id"],
  ["projectId", "project_id"],
  ["sessionId", "session_id"],
  ["clientName", "client_name"],
] as const;

function conditionsOf(query: AuditQuery): Condition[] {
  const { order, after, toolName } = query;
  const conditions = timeConditions(query);
  if (after !== undefined) {
    conditions.push(
      order === "newest" ? sql<boolean>`sequence < ${after}` : sql<boolean>`sequence > ${after}`,
    );
  }
  for (const [field, column] of equalColumns) {
    const wanted = query[field];
    if (wanted !== undefined) {
      conditions.push(sql<boolean>`${sql.ref(column)} = ${storableText(wanted)}`);
    }
  }
  if (toolName !== undefined) conditions.push(nameCondition(storableText(toolName)));
  return conditions;
}

/**
 * Rows are read in the order of writing, which is the order of time but for calls that took long. The index of
 * times gives the first and the last sequence there can be, so that neither all rows of the time are sorted nor
 * all rows beyond it gone through. The `+` keeps the planner from doing just that.
 */
function timeConditions({ sinceMs, untilMs }: AuditQuery): Condition[] {
  const range = sql.join(
    [
      ...(sinceMs === undefined ? [] : [sql`created_at >= ${sinceMs}`]),
      ...(untilMs === undefined ? [] : [sql`created_at < ${untilMs}`]),
    ],
    sql` AND `,
  );
  const conditions: Condition[] = [];
  if (sinceMs !== undefined) {
    conditions.push(sql`+created_at >= ${sinceMs}`);
    conditions.push(sql`sequence >= (SELECT min(+sequence) FROM mcp_audit_log WHERE ${range})`);
  }
  if (untilMs !== undefined) {
    conditions.push(sql`+created_at < ${untilMs}`);
    conditions.push(sql`sequence <= (SELECT max(+sequence) FROM mcp_audit_log WHERE ${range})`);
  }
  return conditions;
}

/** As `matchesGlob`: SQLite's GLOB knows `[…]` as well, so a `[` is written as the set that holds only it. */
function nameCondition(pattern: string): Condition {
  return sql`tool_name GLOB ${pattern.replaceAll("[", "[[]")}`;
}

function textOrNull(text: string | null): string | null {
  return text === null ? null : storableText(text);
}

function rowOf(row: Selectable<Schema["mcp_audit_log"]>): AuditRow {
  const params: unknown = JSON.parse(row.params);
  return {
    sequence: row.sequence,
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
