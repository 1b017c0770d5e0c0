/** What SQLite takes and gives. */
export type SqlValue = null | number | string | bigint | Uint8Array;

/** The first message to the worker: what it opens. */
export interface WorkerStart {
  file: string;
  lockFile: string;
  /** The instance id to keep when the database has none yet. */
  newInstanceId: string;
  /** Milliseconds since the epoch, for the name of a corrupt file that is set aside and the migrations. */
  nowMs: number;
}

export interface StatementResult {
  columns: string[];
  rows: SqlValue[][];
  changes: number;
}

export type WorkerRequest =
  | { id: number; kind: "execute"; sql: string; params: readonly SqlValue[] }
  /** The same outside of transactions, for what changes nothing; one that an undoing did not reach is undone first. */
  | { id: number; kind: "read"; sql: string; params: readonly SqlValue[] }
  /** One prepared statement, run for each row of parameters, inside the transaction that is open. */
  | { id: number; kind: "execute-many"; sql: string; rows: readonly (readonly SqlValue[])[] }
  /** Begins a transaction; one that an undoing did not reach is undone first. Fails when the files are not there any more. */
  | { id: number; kind: "begin" }
  /** Undoes the open transaction, if SQLite has not done so already. */
  | { id: number; kind: "rollback" }
  | { id: number; kind: "close" };

/** Why the database could not be opened, for the message on the other side. */
export type OpenFailure =
  | { kind: "owned" }
  | { kind: "newer"; found: number; known: number }
  | { kind: "failed"; reason: string };

/**
 * `refused`: the database works, and does not take this row. `gone`: its files were removed, or others put in their
 * place, so that nothing written would be found again. `locked`: another program holds it. `full`: the disk is.
 */
export type StatementFailure = "refused" | "gone" | "locked" | "full" | "other";

export type WorkerReply =
  /** The first message of all: open, migrated, and owned by this process alone. */
  | { kind: "opened"; instanceId: string; setAside: string | undefined }
  | { kind: "not-opened"; failure: OpenFailure }
  | { kind: "done"; id: number; result: StatementResult }
  | { kind: "failed"; id: number; reason: string; failure: StatementFailure };
