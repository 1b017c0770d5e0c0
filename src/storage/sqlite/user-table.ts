import type { Kysely, Selectable } from "kysely";
import { sql } from "kysely";
import type { User } from "../../core/identities.ts";
import type { IdentityTable } from "../../core/storage.ts";
import { storableText } from "../storable.ts";
import { mustBeThere } from "./must-be-there.ts";
import type { Schema } from "./schema.ts";

/** `users`, inside the transaction given. */
export function createUserTable(db: Kysely<Schema>): IdentityTable<User> {
  return {
    async all() {
      const rows = await db
        .selectFrom("users")
        .selectAll()
        .orderBy("created_at")
        .orderBy(sql`rowid`)
        .execute();
      return rows.map(userOf);
    },
    async insert(user) {
      await db.insertInto("users").values(columnsOf(user)).execute();
    },
    async replace(user) {
      const { id, ...others } = columnsOf(user);
      mustBeThere(
        await db.updateTable("users").set(others).where("id", "=", id).executeTakeFirst(),
      );
    },
    async purge(beforeMs) {
      const { numDeletedRows } = await db
        .deleteFrom("users")
        .where("deleted_at", "<", beforeMs)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

function columnsOf(user: User): Schema["users"] {
  return {
    id: storableText(user.id),
    name: storableText(user.name),
    password_hash: user.password?.hash ?? null,
    password_set_at: user.password?.setAtMs ?? null,
    disabled_at: user.disabledAtMs,
    created_at: user.createdAtMs,
    deleted_at: user.deletedAtMs,
  };
}

function userOf(row: Selectable<Schema["users"]>): User {
  const { password_hash: hash, password_set_at: setAtMs } = row;
  return {
    id: row.id,
    name: row.name,
    // The schema holds them together: both are there, or none.
    password: hash === null || setAtMs === null ? null : { hash, setAtMs },
    disabledAtMs: row.disabled_at,
    createdAtMs: row.created_at,
    deletedAtMs: row.deleted_at,
  };
}
