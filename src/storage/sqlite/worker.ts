// The worker thread's entry: SQLite is synchronous, and here it holds up nobody. It executes what it is
// sent, one after the other, and knows nothing of tokens or audit rows.
import { parentPort } from "node:worker_threads";
import type Database from "libsql";
import { systemErrorCode } from "../../core/system-error-code.ts";
import { FilesGone } from "./database-files.ts";
import { OpenError, openDatabase } from "./open-database.ts";
import type { OpenedDatabase } from "./open-database.ts";
import type {
  OpenFailure,
  SqlValue,
  StatementFailure,
  StatementResult,
  WorkerReply,
  WorkerRequest,
  WorkerStart,
} from "./worker-protocol.ts";

/** Statements are few and written by the program; the bound is for the day one of them is not. */
const maxPrepared = 100;

function serve(port: NonNullable<typeof parentPort>, opened: OpenedDatabase): void {
  const prepared = new Map<string, Database.Statement>();

  const prepare = (sql: string): Database.Statement => {
    const known = prepared.get(sql);
    if (known !== undefined) {
      return known;
    }
    if (prepared.size >= maxPrepared) {
      prepared.clear();
    }
    const statement = opened.database.prepare(sql);
    prepared.set(sql, statement);
    return statement;
  };

  const execute = (sql: string, params: readonly SqlValue[]): StatementResult => {
    const statement = prepare(sql);
    if (!statement.reader) {
      return { columns: [], rows: [], changes: statement.run([...params]).changes };
    }
    // Raw rows: the objects libsql makes carry a `_metadata` key.
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- raw mode gives arrays of SQLite's values
    const rows = statement.raw(true).all([...params]) as SqlValue[][];
    return { columns: statement.columns().map(({ name }) => name), rows, changes: 0 };
  };

  const rollBack = (): void => {
    if (opened.database.inTransaction) opened.database.exec("ROLLBACK");
  };

  const answer = (request: WorkerRequest): StatementResult => {
    switch (request.kind) {
      case "execute":
        return execute(request.sql, request.params);
      case "read":
        rollBack();
        return execute(request.sql, request.params);
      case "execute-many": {
        const statement = prepare(request.sql);
        for (const row of request.rows) {
          statement.run([...row]);
        }
        return { columns: [], rows: [], changes: request.rows.length };
      }
      case "begin":
        rollBack();
        opened.files.check();
        opened.database.exec("BEGIN IMMEDIATE");
        break;
      case "rollback":
        rollBack();
        break;
      case "close":
        prepared.clear();
        opened.close();
        break;
    }
    return { columns: [], rows: [], changes: 0 };
  };

  port.on("message", (request: WorkerRequest) => {
    let reply: WorkerReply;
    try {
      reply = { kind: "done", id: request.id, result: answer(request) };
    } catch (error) {
      const reason = reasonOf(error);
      reply = { kind: "failed", id: request.id, reason, failure: statementFailureOf(error) };
    }
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
    port.postMessage(reply);
    if (request.kind === "close") {
      port.close();
    }
  });
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : "unknown";
}

function statementFailureOf(error: unknown): StatementFailure {
  if (error instanceof FilesGone) return "gone";
  const code = systemErrorCode(error) ?? "";
  if (/^SQLITE_(?:BUSY|LOCKED)/u.test(code)) return "locked";
  if (code.startsWith("SQLITE_FULL")) return "full";
  // A constraint of the schema. libsql has no name for the one that holds a column to its type (3091).
  return /^SQLITE_CONSTRAINT|_3091$/u.test(code) ? "refused" : "other";
}

function failureOf(error: unknown): OpenFailure {
  return error instanceof OpenError ? error.failure : { kind: "failed", reason: reasonOf(error) };
}

function open(port: NonNullable<typeof parentPort>, start: WorkerStart): void {
  let first: WorkerReply;
  try {
    const opened = openDatabase(start);
    serve(port, opened);
    first = { kind: "opened", instanceId: opened.instanceId, setAside: opened.setAside };
  } catch (error) {
    first = { kind: "not-opened", failure: failureOf(error) };
  }
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a worker thread has no origin
  port.postMessage(first);
}

parentPort?.once("message", (start: WorkerStart) => {
  if (parentPort !== null) open(parentPort, start);
});
