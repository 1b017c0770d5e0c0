import type { ChangeRow } from "../core/change.ts";
import { redactServerEntry } from "../core/redact-server-entry.ts";
import type { Administration } from "./administration.ts";
import type { AdministrationParts } from "./parts.ts";
import { createRecordQueries } from "./record-queries.ts";
import { administeredBy } from "./who-may.ts";

/**
 * What is written of calls and changes. An organisation's administrator reads its rows; whoever else's is asked
 * for, there are none, as there are none of what does not exist.
 */
export function readRecords({
  storage,
}: Pick<AdministrationParts, "storage">): Pick<Administration, "history" | "audit"> {
  const queries = createRecordQueries();
  return {
    async history(by, query) {
      const own = administeredBy(by);
      const { organizationId = own ?? undefined } = query;
      if (own !== null && organizationId !== own) return { rows: [], next: null };
      const { rows, next } = await queries.answer(by, () =>
        storage.changePage(by, { ...query, organizationId }),
      );
      return { rows: rows.map(shownChange), next };
    },

    async audit(by, query) {
      const own = administeredBy(by);
      const { organizationId = own ?? undefined } = query;
      if (own !== null && organizationId !== own) return { rows: [], next: null };
      return queries.answer(by, () => storage.auditPage(by, { ...query, organizationId }));
    },
  };
}

/** Without the secrets of a server's entry, which stands in the history as it was written. */
export function shownChange(row: ChangeRow): ChangeRow {
  if (row.entity !== "server") return row;
  return {
    ...row,
    before: row.before && redactServerEntry(row.before),
    after: row.after && redactServerEntry(row.after),
  };
}
