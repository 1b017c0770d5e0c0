import type { CompiledQuery, DatabaseConnection, Dialect, Driver, QueryResult } from "kysely";
import { SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler } from "kysely";
import type { StorageWorker } from "./storage-worker.ts";
import type { Turn, Turns } from "./turns.ts";
import type { SqlValue, StatementResult } from "./worker-protocol.ts";

/**
 * Kysely on the storage worker. There is one connection: for transactions it is handed from one to the next; a
 * dialect for reads takes a turn for each statement, and has no transactions.
 */
export function createWorkerDialect(worker: StorageWorker, turns: Turns, turn: Turn): Dialect {
  return {
    createAdapter: () => new SqliteAdapter(),
    createDriver: () => createDriver(worker, turns, turn),
    createIntrospector: (db) => new SqliteIntrospector(db),
    createQueryCompiler: () => new SqliteQueryCompiler(),
  };
}

function createDriver(worker: StorageWorker, turns: Turns, turn: Turn): Driver {
  const run = (sql: string, params: readonly SqlValue[]): Promise<StatementResult> =>
    turn === "read" ? worker.read(sql, params) : worker.execute(sql, params);
  let release: (() => void) | undefined;
  const connection: DatabaseConnection = {
    async executeQuery<R>({ sql, parameters }: CompiledQuery): Promise<QueryResult<R>> {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema's columns are SQLite's own types
      const result = await run(sql, parameters as readonly SqlValue[]);
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

  return {
    init: () => Promise.resolve(),
    async acquireConnection() {
      release = await turns.take(turn);
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
