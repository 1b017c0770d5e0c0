import type { Member, MintedToken, Organization, User } from "../core/identities.ts";
import type { Change } from "../core/change.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { Principal, Role } from "../core/principal.ts";
import type { Storage, StorageTransaction } from "../core/storage.ts";
import { mattersOf } from "./identity-history.ts";
import type { Matter } from "./identity-history.ts";
import { identityMapsOf, memberKey, readIdentities, writeIdentities } from "./identity-rows.ts";
import type { IdentityMaps, IdentityRows } from "./identity-rows.ts";
import { renewPrincipal, requireStanding } from "./standing.ts";
import type { Standing } from "./standing.ts";
import { tokenIndexOf } from "./token-index.ts";

/** Rows to be written, and what the change is for its caller. */
export interface Edit<Result> extends Partial<IdentityRows> {
  result: Result;
}

export interface PurgedRows {
  organizations: number;
  users: number;
  members: number;
  tokens: number;
  /** Rows of the change history. */
  serverEntries: number;
}

/**
 * Who there is, in memory: organisations, users, members and minted tokens, read whole at the start. Who decides
 * by it never waits for the storage. Deleted ones are in it, marked; a row never changes, another takes its place.
 */
export interface Directory extends Standing {
  organization(id: string): Organization | undefined;
  user(id: string): User | undefined;
  member(key: { organizationId: string; userId: string }): Member | undefined;
  token(id: string): MintedToken | undefined;
  /** In the order of ids; members of organisation and user. */
  organizations(): readonly Organization[];
  users(): readonly User[];
  members(): readonly Member[];
  tokens(): readonly MintedToken[];
  /** The token of this hash; one that is taken back has none. It may have expired. */
  findToken(hash: string): MintedToken | undefined;
  /**
   * The session whose refresh tokens are of the family of this hash: `refresh` says which of them is the current one.
   * It may have expired, and its user may have been disabled.
   */
  findSession(familyHash: string): MintedToken | undefined;
  /** Whether somebody is a member: membership, user and organisation are there. The user may be disabled. */
  isMember(key: { organizationId: string; userId: string }): boolean;
  /** What a user may as in an organisation now; undefined for who is no member there, or disabled. */
  roleIn(key: { organizationId: string; userId: string }): Role | undefined;
  /**
   * Makes one change, with its rows of the change history, in one transaction: first in the storage, then here.
   * Changes run one after the other, so what `plan` reads here is still so when its rows are written; it decides,
   * and may throw, in which case nothing is written. When the storage fails nothing is changed here.
   * @param plan gets who acts as that is when its turn has come, and asks that one for the right to it: what was
   *   so when the request arrived may have been changed by those before it
   * @throws what `plan` throws; AppError `auth_rejected` (`by` has no standing any more), `store_unavailable`
   */
  change<Result>(
    by: Principal,
    plan: (by: Principal) => Edit<Result> | Promise<Edit<Result>>,
  ): Promise<Result>;
  /**
   * Removes for good what was deleted before a time, which must be past: a token that has expired by then goes.
   * @param decide gets who acts as `plan` does; answers the time, in milliseconds since the epoch, or throws
   * @throws what `decide` throws; AppError `auth_rejected`, `store_unavailable`
   */
  purge(by: Principal, decide: (by: Principal) => number): Promise<PurgedRows>;
}

export interface DirectoryOptions {
  storage: Storage;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  /** `Standing.renew` as the door has it, which knows all credentials; absent: for what has a row here alone. */
  renew?: Standing["renew"] | undefined;
}

/** Reads who there is. @throws AppError `store_unavailable` */
export async function openDirectory(options: DirectoryOptions): Promise<Directory> {
  const { storage, now, newId } = options;
  const read = async (): Promise<IdentityMaps> =>
    identityMapsOf(await storage.withPrincipal(systemPrincipal, readIdentities));
  let maps = await read();
  let index = tokenIndexOf(maps.tokens.inOrder());
  const listeners: (() => void)[] = [];
  let turn: Promise<unknown> = Promise.resolve();
  /** The storage failed in the middle of a change, which may be in it all the same. */
  let inDoubt = false;

  const tellChanged = (): void => {
    for (const listener of listeners) listener();
  };
  /** Puts rows that are written into effect, and then tells of it. */
  const putAll = (rows: IdentityRows): void => {
    for (const row of rows.organizations) maps.organizations.put(row);
    for (const row of rows.users) maps.users.put(row);
    for (const row of rows.members) maps.members.put(row);
    for (const row of rows.tokens) {
      index.replace(maps.tokens.get(row.id), row);
      maps.tokens.put(row);
    }
    tellChanged();
  };
  /** The same with all that is there. */
  const replaceAll = (next: IdentityMaps): void => {
    maps = next;
    index = tokenIndexOf(next.tokens.inOrder());
    tellChanged();
  };
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const mine = turn.then(async () => {
      if (inDoubt) await settleDoubt();
      return work();
    });
    turn = mine.catch(() => undefined);
    return mine;
  };
  const settleDoubt = async (): Promise<void> => {
    replaceAll(await read());
    inDoubt = false;
  };
  const write = async <T>(
    by: Principal,
    work: (tx: StorageTransaction) => Promise<T>,
  ): Promise<T> => {
    try {
      return await storage.withPrincipal(by, work);
    } catch (error) {
      inDoubt = true;
      // Where that fails as well, the next change begins with it.
      await settleDoubt().catch(() => undefined);
      throw error;
    }
  };
  const changeOf = (by: Principal, matter: Matter): Change => ({
    id: newId(),
    timeMs: now(),
    actor: "user",
    userId: by.userId,
    ...matter,
  });

  const directory: Directory = {
    organization: (id) => maps.organizations.get(id),
    user: (id) => maps.users.get(id),
    member: (key) => maps.members.get(memberKey(key)),
    token: (id) => maps.tokens.get(id),
    organizations: () => maps.organizations.inOrder(),
    users: () => maps.users.inOrder(),
    members: () => maps.members.inOrder(),
    tokens: () => maps.tokens.inOrder(),
    findToken(hash) {
      const id = index.byHash.get(hash);
      return id === undefined ? undefined : maps.tokens.get(id);
    },
    findSession(familyHash) {
      const id = index.byRefreshFamily.get(familyHash);
      return id === undefined ? undefined : maps.tokens.get(id);
    },
    isMember(key) {
      const rows = [
        maps.organizations.get(key.organizationId),
        maps.users.get(key.userId),
        maps.members.get(memberKey(key)),
      ];
      return rows.every((row) => row?.deletedAtMs === null);
    },
    roleIn(key) {
      const counts = directory.isMember(key) && maps.users.get(key.userId)?.disabledAtMs === null;
      return counts ? maps.members.get(memberKey(key))?.role : undefined;
    },

    change: (asked, plan) =>
      inTurn(async () => {
        const by = requireStanding(directory, asked);
        const edit = await plan(by);
        const { result, organizations = [], users = [], members = [], tokens = [] } = edit;
        const rows = { organizations, users, members, tokens };
        const changes = mattersOf(maps, rows).map((matter) => changeOf(by, matter));
        if (Object.values(rows).every((list) => list.length === 0)) return result;
        await write(by, async (tx) => {
          await writeIdentities(tx, maps, rows);
          await tx.changes.append(changes);
        });
        putAll(rows);
        return result;
      }),

    purge: (asked, decide) =>
      inTurn(async () => {
        const by = requireStanding(directory, asked);
        const beforeMs = decide(by);
        const { purged, rows } = await write(by, async (tx) => {
          const counts = {
            tokens: await tx.tokens.purge(beforeMs),
            members: await tx.members.purge(beforeMs),
            users: await tx.users.purge(beforeMs),
            organizations: await tx.organizations.purge(beforeMs),
            serverEntries: await tx.changes.purgeServers(beforeMs),
          };
          const before = new Date(beforeMs).toISOString();
          const change = changeOf(by, {
            entity: "purge",
            entityId: before,
            organizationId: null,
            action: "purged",
            before: null,
            after: { before, ...counts },
          });
          await tx.changes.append([change]);
          return { purged: counts, rows: await readIdentities(tx) };
        });
        replaceAll(identityMapsOf(rows));
        return purged;
      }),

    renew: options.renew ?? ((principal) => renewPrincipal(principal, directory, now())),
    onChanged: (listener) => void listeners.push(listener),
  };
  return directory;
}
