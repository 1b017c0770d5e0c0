import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { Organization, User } from "../../core/identities.ts";
import type { IdentityTable } from "../../core/storage.ts";
import { mustBeThere } from "./must-be-there.ts";
import type { Schema } from "./schema.ts";
import { storableText } from "../storable.ts";

/** `organizations` or `users`, which have the same columns, inside the transaction given. */
export function createNamedTable(
  db: Kysely<Schema>,
  table: "organizations" | "users",
): IdentityTable<Organization & User> {
  return {
    async all() {
      const rows = await db
        .selectFrom(table)
        .selectAll()
        .orderBy("created_at")
        .orderBy(sql`rowid`)
        .execute();
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        createdAtMs: row.created_at,
        deletedAtMs: row.deleted_at,
      }));
    },
    async insert(row) {
      await db.insertInto(table).values(columnsOf(row)).execute();
    },
    async replace(row) {
      const { id, ...others } = columnsOf(row);
      mustBeThere(await db.updateTable(table).set(others).where("id", "=", id).executeTakeFirst());
    },
    async purge(beforeMs) {
      const { numDeletedRows } = await db
        .deleteFrom(table)
        .where("deleted_at", "<", beforeMs)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

function columnsOf(row: Organization & User): Schema["organizations"] {
  return {
    id: storableText(row.id),
    name: storableText(row.name),
    created_at: row.createdAtMs,
    deleted_at: row.deletedAtMs,
  };
}
