import type { Kysely, Selectable } from "kysely";
import { sql } from "kysely";
import type { MintedToken, SessionRefresh } from "../../core/identities.ts";
import type { IdentityTable } from "../../core/storage.ts";
import { storableText } from "../storable.ts";
import { mustBeThere } from "./must-be-there.ts";
import type { Schema } from "./schema.ts";

/** `minted_tokens`, inside the transaction given. A foreign key removes a member's tokens with it. */
export function createTokenTable(db: Kysely<Schema>): IdentityTable<MintedToken> {
  return {
    async all() {
      const rows = await db
        .selectFrom("minted_tokens")
        .selectAll()
        .orderBy("created_at")
        .orderBy(sql`rowid`)
        .execute();
      return rows.map(tokenOf);
    },
    async insert(token) {
      await db.insertInto("minted_tokens").values(columnsOf(token)).execute();
    },
    async replace(token) {
      const { id, ...others } = columnsOf(token);
      mustBeThere(
        await db.updateTable("minted_tokens").set(others).where("id", "=", id).executeTakeFirst(),
      );
    },
    async purge(beforeMs) {
      const { numDeletedRows } = await db
        .deleteFrom("minted_tokens")
        .where((eb) =>
          eb.or([
            eb("revoked_at", "<", beforeMs),
            eb.and([
              eb("expires_at", "<", beforeMs),
              // A session whose token has expired is good for another one.
              eb.or([
                eb("refresh_expires_at", "is", null),
                eb("refresh_expires_at", "<", beforeMs),
              ]),
            ]),
          ]),
        )
        .executeTakeFirst();
      return Number(numDeletedRows);
    },
  };
}

function columnsOf(token: MintedToken): Schema["minted_tokens"] {
  return {
    id: storableText(token.id),
    hash: token.hash,
    kind: token.kind,
    name: storableText(token.name),
    user_id: storableText(token.userId),
    organization_id: token.organizationId === null ? null : storableText(token.organizationId),
    role: token.role,
    scopes: JSON.stringify(token.scopes),
    created_at: token.createdAtMs,
    expires_at: token.expiresAtMs,
    refresh_hash: token.refresh?.hash ?? null,
    refresh_family_hash: token.refresh?.familyHash ?? null,
    refresh_expires_at: token.refresh?.expiresAtMs ?? null,
    revoked_at: token.revokedAtMs,
  };
}

function tokenOf(row: Selectable<Schema["minted_tokens"]>): MintedToken {
  return {
    id: row.id,
    hash: row.hash,
    kind: row.kind,
    name: row.name,
    userId: row.user_id,
    organizationId: row.organization_id,
    role: row.role,
    scopes: scopesOf(row.scopes),
    createdAtMs: row.created_at,
    expiresAtMs: row.expires_at,
    refresh: refreshOf(row),
    revokedAtMs: row.revoked_at,
  };
}

function refreshOf(row: Selectable<Schema["minted_tokens"]>): SessionRefresh | null {
  const { refresh_hash: hash, refresh_family_hash: familyHash } = row;
  const { refresh_expires_at: expiresAtMs } = row;
  // The schema holds them together: all are there, or none.
  if (hash === null || familyHash === null || expiresAtMs === null) return null;
  return { hash, familyHash, expiresAtMs };
}

/** @throws Error when the column holds anything but a list of texts: without its scopes a token may do more */
function scopesOf(text: string): string[] {
  const scopes: unknown = JSON.parse(text);
  if (!Array.isArray(scopes) || !scopes.every((scope) => typeof scope === "string")) {
    throw new Error("The scopes of a token are no list of texts");
  }
  return scopes;
}
