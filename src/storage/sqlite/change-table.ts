import type { Kysely, Selectable, SelectQueryBuilder } from "kysely";
import type { Change, ChangeQuery, ChangeRow } from "../../core/change.ts";
import { isJsonObject } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import type { RecordPage, StorageTransaction } from "../../core/storage.ts";
import { storableText } from "../storable.ts";
import { beyond, findPage } from "./find-page.ts";
import type { PageLimits } from "./find-page.ts";
import type { Schema } from "./schema.ts";

/** `change_history`, inside the transaction given. */
export function createChangeTable(db: Kysely<Schema>): StorageTransaction["changes"] {
  /** The sequence of each server's newest row. */
  const latest = db
    .selectFrom("change_history")
    .select(({ fn }) => fn.max("sequence").as("sequence"))
    .where("entity", "=", "server")
    .groupBy("entity_id");

  return {
    async append(changes) {
      for (const change of changes) {
        await db.insertInto("change_history").values(columnsOf(change)).execute();
      }
    },
    async list({ before, limit, ...filter }) {
      let query = changesFitting(db, filter);
      if (before !== undefined) query = query.where("sequence", "<", before);
      const rows = await query.limit(limit).execute();
      return rows.map(changeOf);
    },
    async latestOfServers() {
      const rows = await db
        .selectFrom("change_history")
        .selectAll()
        .where("sequence", "in", latest)
        .orderBy("sequence", "desc")
        .execute();
      return rows.map(changeOf);
    },
    async purgeServers(beforeMs) {
      const tools = await db
        .deleteFrom("change_history")
        .where("entity", "=", "tool")
        .where("created_at", "<", beforeMs)
        .executeTakeFirst();
      const old = await db
        .deleteFrom("change_history")
        .where("entity", "=", "server")
        .where("created_at", "<", beforeMs)
        .where("sequence", "not in", latest)
        .executeTakeFirst();
      const gone = await db
        .deleteFrom("change_history")
        .where("entity", "=", "server")
        .where("created_at", "<", beforeMs)
        .where("action", "=", "deleted")
        .where("entity_id", "not in", (eb) =>
          eb
            .selectFrom("change_history")
            .select("entity_id")
            .where("entity", "=", "server")
            .where("created_at", ">=", beforeMs),
        )
        .executeTakeFirst();
      const emptied = await db
        .updateTable("change_history")
        .set({ before: null })
        .where("entity", "=", "server")
        .where("created_at", "<", beforeMs)
        .where("before", "is not", null)
        .executeTakeFirst();
      const servers = old.numDeletedRows + gone.numDeletedRows + emptied.numUpdatedRows;
      return Number(tools.numDeletedRows + servers);
    },
  };
}

/** A page of `change_history`, newest first. Each of its statements stands alone. */
export async function changePage(
  db: Kysely<Schema>,
  { before, limit, ...filter }: ChangeQuery,
  limits: PageLimits,
  giveUp: AbortSignal,
): Promise<RecordPage<ChangeRow>> {
  const newest = await db
    .selectFrom("change_history")
    .select(({ fn }) => fn.max("sequence").as("sequence"))
    .executeTakeFirst();
  const all = { first: 1, last: newest?.sequence ?? 0 };
  const { rows, next } = await findPage(
    {
      order: "newest",
      limit,
      range: before === undefined ? all : beyond(all, "newest", before),
      find: ({ first, last }, most) =>
        changesFitting(db, filter)
          .where("sequence", ">=", first)
          .where("sequence", "<=", last)
          .limit(most)
          .execute(),
      lengthOf: (row) => (row.before?.length ?? 0) + (row.after?.length ?? 0),
      giveUp,
    },
    limits,
  );
  return { rows: rows.map(changeOf), next };
}

type ChangeColumns = Selectable<Schema["change_history"]>;

function changesFitting(
  db: Kysely<Schema>,
  { organizationId, entity, entityId }: Omit<ChangeQuery, "before" | "limit">,
): SelectQueryBuilder<Schema, "change_history", ChangeColumns> {
  let query = db.selectFrom("change_history").selectAll().orderBy("sequence", "desc");
  if (organizationId !== undefined) {
    query = query.where("organization_id", "=", storableText(organizationId));
  }
  if (entity !== undefined) query = query.where("entity", "=", entity);
  if (entityId !== undefined) query = query.where("entity_id", "=", storableText(entityId));
  return query;
}

function columnsOf(change: Change): Omit<ChangeColumns, "sequence"> {
  return {
    id: storableText(change.id),
    actor: change.actor,
    user_id: change.userId === null ? null : storableText(change.userId),
    organization_id: change.organizationId === null ? null : storableText(change.organizationId),
    entity: change.entity,
    entity_id: storableText(change.entityId),
    action: change.action,
    before: change.before === null ? null : JSON.stringify(change.before),
    after: change.after === null ? null : JSON.stringify(change.after),
    created_at: change.timeMs,
  };
}

function changeOf(row: ChangeColumns): ChangeRow {
  return {
    sequence: row.sequence,
    id: row.id,
    timeMs: row.created_at,
    actor: row.actor,
    userId: row.user_id,
    organizationId: row.organization_id,
    entity: row.entity,
    entityId: row.entity_id,
    action: row.action,
    before: objectOf(row.before),
    after: objectOf(row.after),
  };
}

function objectOf(text: string | null): JsonObject | null {
  const value: unknown = text === null ? null : JSON.parse(text);
  return isJsonObject(value) ? value : null;
}
