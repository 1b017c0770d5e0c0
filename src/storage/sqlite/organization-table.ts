import type { Kysely } from "kysely";
import { sql } from "kysely";
import type { Organization } from "../../core/identities.ts";
import type { IdentityTable } from "../../core/storage.ts";
import { storableText } from "../storable.ts";
import { mustBeThere } from "./must-be-there.ts";
import type { Schema } from "./schema.ts";

/** `organizations`, inside the transaction given. */
export function createOrganizationTable(db: Kysely<Schema>): IdentityTable<Organization> {
  return {
    async all() {
      const rows = await db
        .selectFrom("organizations")
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
    async insert(organization) {
      await db.insertInto("organizations").values(columnsOf(organization)).execute();
    },
    async replace(organization) {
      const { id, ...others } = columnsOf(organization);
      mustBeThere(
        await db.updateTable("organizations").set(others).where("id", "=", id).executeTakeFirst(),
      );
    },
    async purge(beforeMs) {
      const { numDeletedRows } = await db
        .deleteFrom("organizations")
        .where("deleted_at", "<", beforeMs)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

function columnsOf(organization: Organization): Schema["organizations"] {
  return {
    id: storableText(organization.id),
    name: storableText(organization.name),
    created_at: organization.createdAtMs,
    deleted_at: organization.deletedAtMs,
  };
}
