import type { Insertable, Kysely } from "kysely";
import { sql } from "kysely";
import type { Member } from "../../core/identities.ts";
import type { IdentityTable } from "../../core/storage.ts";
import { storableText } from "../storable.ts";
import { mustBeThere } from "./must-be-there.ts";
import type { Schema } from "./schema.ts";

/** `members`, inside the transaction given. Foreign keys remove them with their organisation or user. */
export function createMemberTable(db: Kysely<Schema>): IdentityTable<Member> {
  return {
    async all() {
      const rows = await db
        .selectFrom("members")
        .selectAll()
        .orderBy("created_at")
        .orderBy(sql`rowid`)
        .execute();
      return rows.map((row) => ({
        organizationId: row.organization_id,
        userId: row.user_id,
        role: row.role,
        createdAtMs: row.created_at,
        deletedAtMs: row.deleted_at,
      }));
    },
    async insert(member) {
      await db.insertInto("members").values(columnsOf(member)).execute();
    },
    async replace(member) {
      const { organization_id, user_id, ...others } = columnsOf(member);
      mustBeThere(
        await db
          .updateTable("members")
          .set(others)
          .where("organization_id", "=", organization_id)
          .where("user_id", "=", user_id)
          .executeTakeFirst(),
      );
    },
    async purge(beforeMs) {
      const goneFrom = (table: "organizations" | "users") =>
        db.selectFrom(table).select("id").where("deleted_at", "<", beforeMs);
      const { numDeletedRows } = await db
        .deleteFrom("members")
        .where((eb) =>
          eb.or([
            eb("deleted_at", "<", beforeMs),
            eb("organization_id", "in", goneFrom("organizations")),
            eb("user_id", "in", goneFrom("users")),
          ]),
        )
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

function columnsOf(member: Member): Insertable<Schema["members"]> {
  return {
    organization_id: storableText(member.organizationId),
    user_id: storableText(member.userId),
    role: member.role,
    created_at: member.createdAtMs,
    deleted_at: member.deletedAtMs,
  };
}
