import type { Kysely, Selectable } from "kysely";
import type { Change, ChangeRow } from "../../core/change.ts";
import { isJsonObject } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import type { StorageTransaction } from "../../core/storage.ts";
import { storableText } from "../storable.ts";
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
    async list({ organizationId, entity, entityId, before, limit }) {
      let query = db.selectFrom("change_history").selectAll();
      if (organizationId !== undefined) {
        query = query.where("organization_id", "=", storableText(organizationId));
      }
      if (entity !== undefined) query = query.where("entity", "=", entity);
      if (entityId !== undefined) query = query.where("entity_id", "=", storableText(entityId));
      if (before !== undefined) query = query.where("sequence", "<", before);
      const rows = await query.orderBy("sequence", "desc").limit(limit).execute();
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
      const { numDeletedRows } = await db
        .deleteFrom("change_history")
        .where("entity", "=", "server")
        .where("created_at", "<", beforeMs)
        .where("sequence", "not in", latest)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

function columnsOf(change: Change): Omit<Selectable<Schema["change_history"]>, "sequence"> {
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

function changeOf(row: Selectable<Schema["change_history"]>): ChangeRow {
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
