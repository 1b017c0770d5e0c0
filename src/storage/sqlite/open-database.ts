import { closeSync, existsSync, openSync, readSync, renameSync, statSync } from "node:fs";
import Database from "libsql";
import { watchDatabaseFiles } from "./database-files.ts";
import type { DatabaseFiles } from "./database-files.ts";
import { knownVersion, migrate, versionOf } from "./migrations.ts";
import { ensurePrivateFile } from "./private-file.ts";
import type { OpenFailure, WorkerStart } from "./worker-protocol.ts";
import { systemErrorCode } from "../../core/system-error-code.ts";

export interface OpenedDatabase {
  database: Database.Database;
  instanceId: string;
  /** Where a corrupt database was moved to, when there was one. */
  setAside: string | undefined;
  /** Those that are open. */
  files: DatabaseFiles;
  /** Gives back the database and then the ownership of the state directory. */
  close(): void;
}

/** Carries an `OpenFailure` out of the worker's depths. */
export class OpenError extends Error {
  override readonly name = "OpenError";
  readonly failure: OpenFailure;
  constructor(failure: OpenFailure) {
    super(failure.kind);
    this.failure = failure;
  }
}

/** How long a statement waits for another program that holds the database, in milliseconds. */
const busyTimeoutMs = 2000;
/** Up to this size the whole file is checked at the start (tens of milliseconds), beyond it the schema only. */
const checkedBytes = 32 * 1024 * 1024;

/**
 * Takes ownership of the state directory, then opens and migrates its database. A corrupt file is moved
 * aside whole and a new one begun; a database of a newer program is left as it is.
 * @throws OpenError
 */
export function openDatabase(start: WorkerStart): OpenedDatabase {
  const lock = takeOwnership(start.lockFile);
  try {
    let setAside: string | undefined;
    let database: Database.Database;
    try {
      database = openChecked(start.file);
    } catch (error) {
      if (!isCorruption(error)) {
        throw error;
      }
      setAside = moveAside(start.file, start.nowMs);
      database = openChecked(start.file);
    }
    const found = versionOf(database);
    if (found > knownVersion) {
      database.close();
      throw new OpenError({ kind: "newer", found, known: knownVersion });
    }
    // NORMAL keeps every commit through a crash of the program; what must outlive a power cut is checkpointed.
    database.exec(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON",
    );
    // What is removed is overwritten: hashes, and parameters past their retention. `FAST` would leave pages that get
    // free as they are, and with them the hashes of an index that shrinks.
    database.exec("PRAGMA secure_delete = ON");
    migrate(database, start.nowMs);
    const instanceId = instanceIdOf(database, start.newInstanceId);
    const files = watchDatabaseFiles(start.file);
    const close = (): void => {
      database.close();
      lock.close();
    };
    return { database, instanceId, setAside, files, close };
  } catch (error) {
    lock.close();
    throw error;
  }
}

/**
 * An exclusive lock of the kernel on a small file of its own, held by the connection returned: the kernel
 * gives it back however the process ends, so that no stale lock is ever left behind.
 */
function takeOwnership(lockFile: string): Database.Database {
  ensurePrivateFile(lockFile);
  const lock = new Database(lockFile);
  try {
    lock.exec("BEGIN EXCLUSIVE");
    return lock;
  } catch (error) {
    lock.close();
    throw systemErrorCode(error)?.startsWith("SQLITE_BUSY")
      ? new OpenError({ kind: "owned" })
      : error;
  }
}

function openChecked(file: string): Database.Database {
  ensurePrivateFile(file);
  if (!mayBeDatabase(file)) {
    throw new CorruptionError();
  }
  const database = new Database(file, { timeout: busyTimeoutMs });
  try {
    versionOf(database);
    if (statSync(file).size <= checkedBytes) {
      const problems = database.prepare("PRAGMA quick_check(1)").raw(true).all();
      if (JSON.stringify(problems) !== '[["ok"]]') {
        throw new CorruptionError();
      }
    }
    return database;
  } catch (error) {
    database.close();
    throw error;
  }
}

/** Looks before SQLite does, which clears away the write-ahead log of a file it cannot read. */
function mayBeDatabase(file: string): boolean {
  const header = Buffer.alloc(16);
  const descriptor = openSync(file, "r");
  try {
    const length = readSync(descriptor, header, 0, header.length, 0);
    // Database File Format §1.2; an empty file is an empty database.
    return length === 0 || header.toString("latin1") === "SQLite format 3\0";
  } finally {
    closeSync(descriptor);
  }
}

class CorruptionError extends Error {
  override readonly name = "CorruptionError";
}

function isCorruption(error: unknown): boolean {
  return (
    error instanceof CorruptionError ||
    /^SQLITE_(?:NOTADB|CORRUPT)/.test(systemErrorCode(error) ?? "")
  );
}

/** Moves the database with its write-ahead log; its content can still be rescued from there. */
function moveAside(file: string, nowMs: number): string {
  const stamp = new Date(nowMs).toISOString().replaceAll(/[-:]|\.\d+/g, "");
  let aside = `${file}.corrupt-${stamp}`;
  for (let count = 2; existsSync(aside); count += 1) {
    aside = `${file}.corrupt-${stamp}-${count}`;
  }
  for (const suffix of ["-wal", "-shm", "-journal"]) {
    if (existsSync(file + suffix)) {
      renameSync(file + suffix, aside + suffix);
    }
  }
  renameSync(file, aside);
  return aside;
}

function instanceIdOf(database: Database.Database, newInstanceId: string): string {
  database
    .prepare("INSERT OR IGNORE INTO meta (key, value) VALUES ('instance_id', ?)")
    .run([newInstanceId]);
  const [row] = database
    .prepare("SELECT value FROM meta WHERE key = 'instance_id'")
    .raw(true)
    .all();
  const value: unknown = Array.isArray(row) ? row[0] : undefined;
  return typeof value === "string" ? value : newInstanceId;
}
