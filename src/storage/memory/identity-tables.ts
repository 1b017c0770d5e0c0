import type { Member, MintedToken, Organization, User } from "../../core/identities.ts";
import type { IdentityTable, StorageTransaction } from "../../core/storage.ts";
import { RowRefused } from "../row-refused.ts";
import { storableCopy } from "../storable.ts";
import type { Content } from "./content.ts";
import { memberKey } from "./content.ts";

interface TableRules<Row> {
  rows: Map<string, Row>;
  keyOf: (row: Row) => string;
  /** @throws RowRefused when the row does not fit what is there */
  check: (row: Row) => void;
  /** Whether a purge of what was deleted before this time removes the row. */
  isPurged: (row: Row, beforeMs: number) => boolean;
}

type IdentityTables = Pick<StorageTransaction, "organizations" | "users" | "members" | "tokens">;

/** The tables of who there is, with the foreign keys that the SQLite schema has. */
export function createIdentityTables(draft: Content): IdentityTables {
  const { organizations, users, members, tokens } = draft;

  /** What belonged to rows that are gone goes with them. */
  const removeOrphans = (): void => {
    for (const [key, { organizationId, userId }] of members) {
      if (!organizations.has(organizationId) || !users.has(userId)) members.delete(key);
    }
    for (const [id, token] of tokens) if (!hasOwner(token)) tokens.delete(id);
  };
  const hasOwner = ({ organizationId, userId }: MintedToken): boolean =>
    organizationId === null || members.has(memberKey({ organizationId, userId }));

  const tableOf = <Row extends { createdAtMs: number }>(
    rules: TableRules<Row>,
  ): IdentityTable<Row> => createTable(rules, removeOrphans);

  return {
    organizations: tableOf<Organization>({
      rows: organizations,
      keyOf: ({ id }) => id,
      check: () => undefined,
      isPurged: isDeletedBefore,
    }),
    users: tableOf<User>({
      rows: users,
      keyOf: ({ id }) => id,
      check: () => undefined,
      isPurged: isDeletedBefore,
    }),
    members: tableOf<Member>({
      rows: members,
      keyOf: memberKey,
      check: ({ organizationId, userId }) => {
        if (!organizations.has(organizationId) || !users.has(userId)) {
          throw new RowRefused("the member's organisation or user is not there");
        }
      },
      isPurged: (member, beforeMs) =>
        [member, organizations.get(member.organizationId), users.get(member.userId)].some(
          (row) => row !== undefined && isDeletedBefore(row, beforeMs),
        ),
    }),
    tokens: tableOf<MintedToken>({
      rows: tokens,
      keyOf: ({ id }) => id,
      check: (token) => {
        if (!hasOwner(token)) throw new RowRefused("the token's user is no member");
        for (const { id, hash, refresh } of tokens.values()) {
          if (id === token.id) continue;
          const isShared =
            (hash !== null && hash === token.hash) ||
            (refresh !== null &&
              (refresh.hash === token.refresh?.hash ||
                refresh.familyHash === token.refresh?.familyHash));
          if (isShared) throw new RowRefused("a token with this hash is there");
        }
      },
      isPurged: ({ revokedAtMs, expiresAtMs, refresh }, beforeMs) =>
        (revokedAtMs ?? Infinity) < beforeMs ||
        // A session whose token has expired is good for another one.
        Math.max(expiresAtMs ?? Infinity, refresh?.expiresAtMs ?? 0) < beforeMs,
    }),
  };
}

function createTable<Row extends { createdAtMs: number }>(
  { rows, keyOf, check, isPurged }: TableRules<Row>,
  removeOrphans: () => void,
): IdentityTable<Row> {
  return {
    async all() {
      return [...rows.values()]
        .toSorted((left, right) => left.createdAtMs - right.createdAtMs)
        .map((row) => structuredClone(row));
    },
    async insert(given) {
      const row = storableCopy(given);
      if (rows.has(keyOf(row))) throw new RowRefused("a row with this key is there");
      check(row);
      rows.set(keyOf(row), row);
    },
    async replace(given) {
      const row = storableCopy(given);
      if (!rows.has(keyOf(row))) throw new RowRefused("there is no row with this key");
      check(row);
      rows.set(keyOf(row), row);
    },
    async purge(beforeMs) {
      const gone = [...rows].filter(([, row]) => isPurged(row, beforeMs));
      for (const [key] of gone) rows.delete(key);
      removeOrphans();
      return gone.length;
    },
  };
}

function isDeletedBefore(
  { deletedAtMs }: { deletedAtMs: number | null },
  beforeMs: number,
): boolean {
  return deletedAtMs !== null && deletedAtMs < beforeMs;
}
