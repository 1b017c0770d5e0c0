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
      const isOld = ({ entity, timeMs }: ChangeRow): boolean =>
        entity === "server" && timeMs < beforeMs;
      const stays = new Set(
        draft.changes
          .filter((row) => row.entity === "server" && !isOld(row))
          .map(({ entityId }) => entityId),
      );
      let touched = 0;
      draft.changes = draft.changes.flatMap((row) => {
        if (row.entity === "tool" && row.timeMs < beforeMs) {
          touched += 1;
          return [];
        }
        if (!isOld(row)) return [row];
        const isGone = row.action === "deleted" && !stays.has(row.entityId);
        if (newest.has(row) && !isGone && row.before === null) return [row];
        touched += 1;
        return newest.has(row) && !isGone ? [{ ...row, before: null }] : [];
      });
      return touched;
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
