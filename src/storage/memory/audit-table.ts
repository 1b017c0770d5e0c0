import type { AuditQuery, AuditRow } from "../../core/audit.ts";
import { matchesGlob } from "../../core/name-glob.ts";
import type { StorageTransaction } from "../../core/storage.ts";
import { storableCopy, storableText } from "../storable.ts";
import type { Content } from "./content.ts";

export function createAuditTable(draft: Content): StorageTransaction["audit"] {
  return {
    async appendAll(events) {
      for (const event of events) {
        // Its writer did not hear that it was written, and writes it again.
        if (draft.auditIds.has(event.id)) continue;
        draft.auditIds.add(event.id);
        draft.lastAudit += 1;
        draft.audit.push({ sequence: draft.lastAudit, ...storableCopy(event) });
      }
    },
    async prune(beforeMs, limit) {
      const oldest = draft.audit
        .filter(({ timeMs }) => timeMs < beforeMs)
        .toSorted((left, right) => left.timeMs - right.timeMs || left.sequence - right.sequence)
        .slice(0, limit);
      const gone = new Set(oldest.map(({ sequence }) => sequence));
      for (const { id } of oldest) draft.auditIds.delete(id);
      draft.audit = draft.audit.filter(({ sequence }) => !gone.has(sequence));
      return gone.size;
    },
  };
}

/** What is there of the rows asked for, one more than a page has at most. */
export function auditRows(content: Content, query: AuditQuery): AuditRow[] {
  const rows = query.order === "newest" ? content.audit.toReversed() : content.audit;
  return rows.filter(filterOf(query)).slice(0, query.limit + 1);
}

function filterOf(query: AuditQuery): (row: AuditRow) => boolean {
  const { order, after, sinceMs = -Infinity, untilMs = Infinity } = query;
  const toolName = query.toolName === undefined ? undefined : storableText(query.toolName);
  const equal = (
    ["status", "userId", "organizationId", "projectId", "sessionId", "clientName"] as const
  ).flatMap((field) => {
    const wanted = query[field];
    return wanted === undefined ? [] : [[field, storableText(wanted)] as const];
  });
  const isBeyond = ({ sequence }: AuditRow): boolean =>
    after === undefined || (order === "newest" ? sequence < after : sequence > after);
  return (row) =>
    isBeyond(row) &&
    row.timeMs >= sinceMs &&
    row.timeMs < untilMs &&
    equal.every(([field, wanted]) => row[field] === wanted) &&
    (toolName === undefined || matchesGlob(toolName, row.toolName));
}
