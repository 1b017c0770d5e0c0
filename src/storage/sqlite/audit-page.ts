import type { Kysely, RawBuilder, Selectable } from "kysely";
import { sql } from "kysely";
import type { AuditQuery, AuditRow } from "../../core/audit.ts";
import { isJsonObject } from "../../core/json.ts";
import type { RecordPage } from "../../core/storage.ts";
import { storableText } from "../storable.ts";
import { beyond, emptyRange, findPage } from "./find-page.ts";
import type { PageLimits, SequenceRange } from "./find-page.ts";
import type { Schema } from "./schema.ts";

/** A page of `mcp_audit_log`. Each of its statements stands alone. */
export async function auditPage(
  db: Kysely<Schema>,
  query: AuditQuery,
  limits: PageLimits,
  giveUp: AbortSignal,
): Promise<RecordPage<AuditRow>> {
  const conditions = conditionsOf(query);
  const { order, limit } = query;
  const { rows, next } = await findPage(
    {
      order,
      limit,
      range: await rangeOf(db, query),
      find: ({ first, last }, most) =>
        db
          .selectFrom("mcp_audit_log")
          .selectAll()
          .where("sequence", ">=", first)
          .where("sequence", "<=", last)
          .where((eb) => eb.and(conditions))
          .orderBy("sequence", order === "newest" ? "desc" : "asc")
          .limit(most)
          .execute(),
      lengthOf: ({ params }) => params.length,
      giveUp,
    },
    limits,
  );
  return { rows: rows.map(rowOf), next };
}

/** So many rows of a time are looked up in the index of times, which takes some two milliseconds. */
const mostOfTime = 20_000;

/**
 * Where fitting rows may be. Rows are read in the order of writing, which is the order of time but for calls that
 * took long. Where few rows are of the time asked for, the index of times tells the first and the last of them;
 * where many are, a page is full soon, or goes through what is asked for and not much else.
 */
async function rangeOf(db: Kysely<Schema>, query: AuditQuery): Promise<SequenceRange> {
  const { order, after, sinceMs, untilMs } = query;
  const ends = sql<Ends>`SELECT
    (SELECT min(sequence) FROM mcp_audit_log) AS first,
    (SELECT max(sequence) FROM mcp_audit_log) AS last`;
  let range = rangeBetween((await ends.execute(db)).rows[0]);
  if (after !== undefined) range = beyond(range, order, after);
  if (range.first > range.last || (sinceMs === undefined && untilMs === undefined)) return range;
  const ofTime = sql<Ends & { count: number }>`
    SELECT count(*) AS count, min(sequence) AS first, max(sequence) AS last
    FROM (SELECT sequence FROM mcp_audit_log INDEXED BY mcp_audit_log_time
          WHERE created_at >= ${sinceMs ?? 0} AND created_at < ${untilMs ?? Number.MAX_SAFE_INTEGER}
          LIMIT ${mostOfTime + 1})`;
  const [found] = (await ofTime.execute(db)).rows;
  if (found !== undefined && found.count > mostOfTime) return range;
  const { first, last } = rangeBetween(found);
  return { first: Math.max(first, range.first), last: Math.min(last, range.last) };
}

/** Null where there are no rows. */
interface Ends {
  first: number | null;
  last: number | null;
}

function rangeBetween(ends: Ends | undefined): SequenceRange {
  const { first, last } = ends ?? { first: null, last: null };
  return first === null || last === null ? emptyRange : { first, last };
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
  const { toolName, sinceMs, untilMs } = query;
  const conditions: Condition[] = [];
  // The `+` keeps the planner from the index of times: the rows are wanted in the order of writing.
  if (sinceMs !== undefined) conditions.push(sql<boolean>`+created_at >= ${sinceMs}`);
  if (untilMs !== undefined) conditions.push(sql<boolean>`+created_at < ${untilMs}`);
  for (const [field, column] of equalColumns) {
    const wanted = query[field];
    if (wanted !== undefined) {
      conditions.push(sql<boolean>`${sql.ref(column)} = ${storableText(wanted)}`);
    }
  }
  if (toolName !== undefined) conditions.push(nameCondition(storableText(toolName)));
  return conditions;
}

/** As `matchesGlob`: SQLite's GLOB knows `[…]` as well, so a `[` is written as the set that holds only it. */
function nameCondition(pattern: string): Condition {
  return sql`tool_name GLOB ${pattern.replaceAll("[", "[[]")}`;
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
