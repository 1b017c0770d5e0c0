import type { Member, MintedToken, Organization, User } from "../core/identities.ts";
import type { IdentityTable, StorageTransaction } from "../core/storage.ts";

/** Rows of all that the directory knows, deleted ones too. */
export interface IdentityRows {
  organizations: readonly Organization[];
  users: readonly User[];
  members: readonly Member[];
  tokens: readonly MintedToken[];
}

/** Rows by their key, and in its order. */
export interface RowMap<Row> {
  get(key: string): Row | undefined;
  /** In the order of their keys. */
  inOrder(): readonly Row[];
  put(row: Row): void;
}

export interface IdentityMaps {
  organizations: RowMap<Organization>;
  users: RowMap<User>;
  /** By `organisation/user` (`memberKey`). */
  members: RowMap<Member>;
  tokens: RowMap<MintedToken>;
}

/** Names a member among all: identifiers hold no `/`. */
export function memberKey({
  organizationId,
  userId,
}: Pick<Member, "organizationId" | "userId">): string {
  return `${organizationId}/${userId}`;
}

/** Order by organisation, then user: `a/…` is before `a-b/…`, though `-` is before `/`. */
export function compareMembers(
  left: Pick<Member, "organizationId" | "userId">,
  right: Pick<Member, "organizationId" | "userId">,
): number {
  return (
    compareTexts(left.organizationId, right.organizationId) ||
    compareTexts(left.userId, right.userId)
  );
}

/** By code units, the same on every machine. */
export function compareTexts(left: string, right: string): number {
  if (left === right) return 0;
  return left < right ? -1 : 1;
}

export function identityMapsOf(rows: IdentityRows): IdentityMaps {
  return {
    organizations: rowMapOf(rows.organizations, idOf, compareIds),
    users: rowMapOf(rows.users, idOf, compareIds),
    members: rowMapOf(rows.members, memberKey, compareMembers),
    tokens: rowMapOf(rows.tokens, idOf, compareIds),
  };
}

const idOf = ({ id }: { id: string }): string => id;
const compareIds = (left: { id: string }, right: { id: string }): number =>
  compareTexts(left.id, right.id);

/** What is in it never changes: a change puts another row in its place. */
function rowMapOf<Row extends object>(
  rows: readonly Row[],
  keyOf: (row: Row) => string,
  compare: (left: Row, right: Row) => number,
): RowMap<Row> {
  const byKey = new Map(rows.map((row) => [keyOf(row), Object.freeze({ ...row })]));
  /** Made when it is asked for, so that a page of a long list does not sort the whole list again. */
  let sorted: readonly Row[] | undefined;
  return {
    get: (key) => byKey.get(key),
    inOrder: () => (sorted ??= [...byKey.values()].toSorted(compare)),
    put(row) {
      byKey.set(keyOf(row), Object.freeze({ ...row }));
      sorted = undefined;
    },
  };
}

/** Reads everything there is in one transaction. @throws AppError `store_unavailable` */
export async function readIdentities(tx: StorageTransaction): Promise<IdentityRows> {
  return {
    organizations: await tx.organizations.all(),
    users: await tx.users.all(),
    members: await tx.members.all(),
    tokens: await tx.tokens.all(),
  };
}

/**
 * Writes rows in the place of those that are known, or as new ones; what others refer to first.
 * @throws AppError `store_unavailable`
 */
export async function writeIdentities(
  tx: StorageTransaction,
  known: IdentityMaps,
  rows: IdentityRows,
): Promise<void> {
  await writeRows(tx.organizations, rows.organizations, ({ id }) => known.organizations.get(id));
  await writeRows(tx.users, rows.users, ({ id }) => known.users.get(id));
  await writeRows(tx.members, rows.members, (row) => known.members.get(memberKey(row)));
  await writeRows(tx.tokens, rows.tokens, ({ id }) => known.tokens.get(id));
}

async function writeRows<Row>(
  table: IdentityTable<Row>,
  rows: readonly Row[],
  find: (row: Row) => Row | undefined,
): Promise<void> {
  for (const row of rows) {
    await (find(row) === undefined ? table.insert(row) : table.replace(row));
  }
}
