import type { Kysely, Selectable } from "kysely";
import type { MintedToken, StorageTransaction } from "../../core/storage.ts";
import type { Schema } from "./schema.ts";

/** `minted_tokens`, inside the transaction given. */
export function createTokenTable(db: Kysely<Schema>): StorageTransaction["tokens"] {
  return {
    async insert(token) {
      await db
        .insertInto("minted_tokens")
        .values({
          id: token.id,
          hash: token.hash,
          kind: token.kind,
          user_id: token.userId,
          role: token.role,
          created_at: token.createdAtMs,
          expires_at: token.expiresAtMs,
          revoked_at: token.revokedAtMs,
        })
        .execute();
    },
    async findByHash(hash) {
      const row = await db
        .selectFrom("minted_tokens")
        .selectAll()
        .where("hash", "=", hash)
        .executeTakeFirst();
      return row && tokenOf(row);
    },
    async revoke(id, atMs) {
      const { numUpdatedRows } = await db
        .updateTable("minted_tokens")
        .set({ revoked_at: atMs })
        .where("id", "=", id)
        .where("revoked_at", "is", null)
        .where("expires_at", ">", atMs)
        .executeTakeFirst();
      return numUpdatedRows > 0n;
    },
    async deleteExpired(beforeMs) {
      const { numDeletedRows } = await db
        .deleteFrom("minted_tokens")
        .where("expires_at", "<", beforeMs)
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

function tokenOf(row: Selectable<Schema["minted_tokens"]>): MintedToken {
  return {
    id: row.id,
    hash: row.hash,
    kind: row.kind,
    userId: row.user_id,
    role: row.role,
    createdAtMs: row.created_at,
    expiresAtMs: row.expires_at,
    revokedAtMs: row.revoked_at,
  };
}
