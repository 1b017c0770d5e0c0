import { AppError } from "../../../src/core/errors.ts";
import type { Storage, StorageTransaction } from "../../../src/core/storage.ts";

export interface FailingStorage extends Storage {
  /**
   * Lets the storage fail at its nth point from now on: before and after each thing done in a transaction, before
   * its begin, instead of its commit, and after it, when only the answer is lost. `once`: works again after that.
   */
  failAt(point: number, how: "once" | "until healed"): void;
  /** Works again. @returns whether it has failed since `failAt` */
  heal(): boolean;
}

export function createFailingStorage(inner: Storage): FailingStorage {
  let left = Infinity;
  let once = true;
  let failed = false;
  const point = (): void => {
    left -= 1;
    if (left >= 0 || (once && failed)) return;
    failed = true;
    throw new AppError("store_unavailable", "The disk is full");
  };

  /** A table whose methods all are points. */
  const failing = <Table extends object>(table: Table): Table =>
    new Proxy(table, {
      get(target, name) {
        const method: unknown = Reflect.get(target, name);
        if (typeof method !== "function") return method;
        return async (...given: unknown[]): Promise<unknown> => {
          point();
          const result: unknown = await Reflect.apply(method, target, given);
          point();
          return result;
        };
      },
    });
  const failingTransaction = (tx: StorageTransaction): StorageTransaction => ({
    organizations: failing(tx.organizations),
    users: failing(tx.users),
    members: failing(tx.members),
    tokens: failing(tx.tokens),
    changes: failing(tx.changes),
    toolPins: failing(tx.toolPins),
    audit: failing(tx.audit),
  });

  return {
    instanceId: inner.instanceId,
    async withPrincipal(principal, work) {
      point();
      const result = await inner.withPrincipal(principal, async (tx) => {
        const made = await work(failingTransaction(tx));
        point();
        return made;
      });
      point();
      return result;
    },
    auditPage: (principal, query) => inner.auditPage(principal, query),
    changePage: (principal, query) => inner.changePage(principal, query),
    close: () => inner.close(),
    failAt(count, how) {
      left = count;
      once = how === "once";
      failed = false;
    },
    heal() {
      left = Infinity;
      once = true;
      return failed;
    },
  };
}
