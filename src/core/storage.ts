import type { AuditEvent, AuditQuery, AuditRow } from "./audit.ts";
import type { Change, ChangeQuery, ChangeRow } from "./change.ts";
import type { Member, MintedToken, Organization, User } from "./identities.ts";
import type { Principal } from "./principal.ts";
import type { StoredPin } from "./tool-pin.ts";

/** Some of the rows asked for, in the order asked: at most `limit`, and fewer where that would be long or large. */
export interface RecordPage<Row> {
  rows: Row[];
  /** The sequence that the next page begins after, also where this one has no rows; null: there are no more. */
  next: number | null;
}

/**
 * Rows that are few and read whole at the start (who there is): whoever decides by them keeps them in memory,
 * so that no call waits for the storage.
 */
export interface IdentityTable<Row> {
  /** All of them, deleted ones too, in the order of their creation. */
  all(): Promise<Row[]>;
  /** @throws AppError `store_unavailable` when its key (or a token's hash) is there already */
  insert(row: Row): Promise<void>;
  /** Writes every field of the row with this key. @throws AppError `store_unavailable` when there is none */
  replace(row: Row): Promise<void>;
  /** Removes rows that were deleted (of tokens: taken back or expired) before the time given; returns how many. */
  purge(beforeMs: number): Promise<number>;
}

/** What can be done inside one transaction. */
export interface StorageTransaction {
  organizations: IdentityTable<Organization>;
  users: IdentityTable<User>;
  /** By organisation and user. Purged with their user or organisation as well. */
  members: IdentityTable<Member>;
  tokens: IdentityTable<MintedToken>;
  changes: {
    append(changes: readonly Change[]): Promise<void>;
    /** Newest first, all that `limit` allows: for the gateway's own questions, whose answers are small. */
    list(query: ChangeQuery): Promise<ChangeRow[]>;
    /** The newest row of each server. */
    latestOfServers(): Promise<ChangeRow[]>;
    /**
     * Removes rows of servers and of their tools written before the time given. The newest of each server stays without
     * its `before`, since it tells what there is; where it says that the server was deleted, and nothing was written of it since that
     * time, it goes as well.
     * @returns how many rows went or lost their `before`
     */
    purgeServers(beforeMs: number): Promise<number>;
  };
  /** What upstream servers offered when it was approved; read whole at the start, as who there is. */
  toolPins: {
    /** By server, what it is, and tool. */
    all(): Promise<StoredPin[]>;
    /** Writes each, in place of the one of the same server, identity and tool, where there is one. */
    putAll(pins: readonly StoredPin[]): Promise<void>;
    /** Removes all pins of each. */
    removeAll(owners: readonly Pick<StoredPin, "server" | "identity">[]): Promise<void>;
  };
  audit: {
    /** All or none. An event whose id is there already stays as it is: writing again what may be written is safe. */
    appendAll(events: readonly AuditEvent[]): Promise<void>;
    /** Removes the oldest rows from before the time given, at most `limit`; returns how many. */
    prune(beforeMs: number, limit: number): Promise<number>;
  };
}

/**
 * Where the gateway keeps what it must remember. Every access names the principal it is made for, so
 * that a database with row level security can hold it to that.
 */
export interface Storage {
  /** Stays the same for as long as the state directory lives; published, no secret. */
  readonly instanceId: string;
  /** Rolls back when `work` throws. Transactions run one after the other. */
  withPrincipal<T>(principal: Principal, work: (tx: StorageTransaction) => Promise<T>): Promise<T>;
  /**
   * What is written of calls, page by page, outside of any transaction: however much is asked, and however long
   * it takes, a transaction waits for a small part of it at most.
   */
  auditPage(principal: Principal, query: AuditQuery): Promise<RecordPage<AuditRow>>;
  /** The same of changes, newest first. */
  changePage(principal: Principal, query: ChangeQuery): Promise<RecordPage<ChangeRow>>;
  close(): Promise<void>;
}
