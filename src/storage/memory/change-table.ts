import type { ChangeQuery, ChangeRow } from "../../core/change.ts";
import type { StorageTransaction } from "../../core/storage.ts";
import { RowRefused } from "../row-refused.ts";
import { storableCopy, storableText } from "../storable.ts";
import type { Content } from "./content.ts";

export function createChangeTable(draft: Content): StorageTransaction["changes"] {
  /** The newest row of each server. */
  const latest = (): Set<ChangeRow> =>
    new Set(
      new Map(
        draft.changes
          .filter(({ entity }) => entity === "server")
          .map((row) => [row.entityId, row] as const),
      ).values(),
    );

  return {
    async append(changes) {
      for (const change of changes) {
        if (draft.changes.some(({ id }) => id === change.id)) {
          throw new RowRefused("a change with this id is there");
        }
        draft.lastChange += 1;
        draft.changes.push({ sequence: draft.lastChange, ...storableCopy(change) });
      }
    },
    async list(query) {
      return changeRows(draft, query)
        .slice(0, query.limit)
        .map((row) => structuredClone(row));
    },
    async latestOfServers() {
      return [...latest()]
        .toSorted((left, right) => right.sequence - left.sequence)
        .map((row) => structuredClone(row));
    },
    async purgeServers(beforeMs) {
      const newest = latest();
      const kept = draft.changes.filter(
        (row) => row.entity !== "server" || row.timeMs >= beforeMs || newest.has(row),
      );
      const removed = draft.changes.length - kept.length;
      draft.changes = kept;
      return removed;
    },
  };
}

/** What is there of the rows asked for, newest first, one more than a page has at most. */
export function changeRows(
  content: Content,
  { organizationId, entity, entityId, before, limit }: ChangeQuery,
): ChangeRow[] {
  return content.changes
    .filter(
      (row) =>
        isWanted(row.organizationId, organizationId) &&
        isWanted(row.entity, entity) &&
        isWanted(row.entityId, entityId) &&
        (before === undefined || row.sequence < before),
    )
    .toReversed()
    .slice(0, limit + 1);
}

function isWanted(value: string | null, wanted: string | undefined): boolean {
  return wanted === undefined || value === storableText(wanted);
}
