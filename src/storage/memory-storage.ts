import { randomUUID } from "node:crypto";
import { AppError } from "../core/errors.ts";
import type { RecordPage, Storage } from "../core/storage.ts";
import { auditRows, createAuditTable } from "./memory/audit-table.ts";
import { changeRows, createChangeTable } from "./memory/change-table.ts";
import { draftOf, emptyContent } from "./memory/content.ts";
import { createIdentityTables } from "./memory/identity-tables.ts";
import { createPinTable } from "./memory/pin-table.ts";

/** Storage that lasts as long as the object: for tests, and where nothing must be written to disk. */
export function createMemoryStorage(instanceId: string = randomUUID()): Storage {
  let content = emptyContent();
  let turn: Promise<unknown> = Promise.resolve();
  let closed = false;

  const requireOpen = (): void => {
    if (closed) throw new AppError("store_unavailable", "The gateway's database is closed");
  };

  return {
    instanceId,
    withPrincipal(_principal, work) {
      const mine = turn.then(async () => {
        requireOpen();
        const draft = draftOf(content);
        const result = await work({
          ...createIdentityTables(draft),
          changes: createChangeTable(draft),
          toolPins: createPinTable(draft),
          audit: createAuditTable(draft),
        });
        content = draft;
        return result;
      });
      turn = mine.catch(() => undefined);
      return mine;
    },
    async auditPage(_principal, query) {
      requireOpen();
      return pageOf(auditRows(content, query), query.limit);
    },
    async changePage(_principal, query) {
      requireOpen();
      return pageOf(changeRows(content, query), query.limit);
    },
    async close() {
      await turn;
      closed = true;
    },
  };
}

/** @param found one row more than the page has, where there are more */
function pageOf<Row extends { sequence: number }>(
  found: readonly Row[],
  limit: number,
): RecordPage<Row> {
  const rows = structuredClone(found.slice(0, limit));
  return { rows, next: found.length > limit ? (rows.at(-1)?.sequence ?? null) : null };
}
