import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from "kysely";
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { StorageWorker } from "./storage-worker.ts";
import type { SqlValue } from "./worker-protocol.ts";

/**
 * Kysely on the storage worker. There is one connection, handed to one transaction after the other in
 * the order they came.
 */
export function createWorkerDialect(worker: StorageWorker): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => createDriver(worker),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

function createDriver(worker: StorageWorker): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema's columns are SQLite's own types
      const result = await worker.execute(sql, parameters as readonly SqlValue[]);
      const { columns } = result;
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- kysely's type says what the query selects
      const rows = result.rows.map((row) =>
        Object.fromEntries(columns.map((name, index) => [name, row[index]])),
      ) as R[];
      return { rows, numAffectedRows: BigInt(result.changes) };
    },
    streamQuery() {
      throw new Error("Rows are not streamed from the storage worker");
    },
  };

  /** Resolves when the connection is free; each transaction waits for the one before it. */
  let turn: Promise<void> = Promise.resolve();
  let release: (() => void) | undefined;

  return {
    init: () => Promise.resolve(),
    async acquireConnection() {
      const before = turn;
      let done: (() => void) | undefined;
      turn = new Promise((resolve) => {
        done = resolve;
      });
      await before;
      release = done;
      return connection;
    },
    beginTransaction: () => worker.begin(),
    async commitTransaction() {
      await worker.execute("COMMIT", []);
    },
    rollbackTransaction: () => worker.rollback(),
    releaseConnection() {
      release?.();
      return Promise.resolve();
    },
    destroy: () => Promise.resolve(),
  };
}
