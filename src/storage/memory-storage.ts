import { randomUUID } from "node:crypto";
import { AppError } from "../core/errors.ts";
import type { Storage } from "../core/storage.ts";
import { createAuditTable } from "./memory/audit-table.ts";
import { createChangeTable } from "./memory/change-table.ts";
import { draftOf, emptyContent } from "./memory/content.ts";
import { createIdentityTables } from "./memory/identity-tables.ts";

/** Storage that lasts as long as the object: for tests, and where nothing must be written to disk. */
export function createMemoryStorage(instanceId: string = randomUUID()): Storage {
  let content = emptyContent();
  let turn: Promise<unknown> = Promise.resolve();
  let closed = false;

  return {
    instanceId,
    withPrincipal(_principal, work) {
      const mine = turn.then(async () => {
        if (closed) {
          throw new AppError("store_unavailable", "The gateway's database is closed");
        }
        const draft = draftOf(content);
        const result = await work({
          ...createIdentityTables(draft),
          changes: createChangeTable(draft),
          audit: createAuditTable(draft),
        });
        content = draft;
        return result;
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
    async close() {
      await turn;
      closed = true;
    },
  };
}
