import type { AuditEvent } from "./audit.ts";
import type { Principal, Role } from "./principal.ts";

/** A token the gateway minted. The token itself is never stored: `hash` is the hex SHA-256 of it. */
export interface MintedToken {
  id: string;
  hash: string;
  kind: "cli";
  userId: string;
  role: Role;
  createdAtMs: number;
  expiresAtMs: number;
  revokedAtMs: number | null;
}

/** What can be done inside one transaction. Later issues add tables here. */
export interface StorageTransaction {
  tokens: {
    insert(token: MintedToken): Promise<void>;
    findByHash(hash: string): Promise<MintedToken | undefined>;
    /** False when there was no such live token. */
    revoke(id: string, atMs: number): Promise<boolean>;
    /** Removes tokens that expired before the time given; returns how many. */
    deleteExpired(beforeMs: number): Promise<number>;
  };
  audit: {
    appendAll(events: readonly AuditEvent[]): Promise<void>;
    /** Newest first. */
    list(options: { limit: number; beforeMs?: number | undefined }): Promise<AuditEvent[]>;
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
  close(): Promise<void>;
}
