import type { AuditQuery, AuditRow } from "../../../src/core/audit.ts";
import { systemPrincipal } from "../../../src/core/principal.ts";
import type { Storage } from "../../../src/core/storage.ts";

/** Every row that fits, page by page; the oldest first unless told. */
export async function auditRows(
  storage: Storage,
  query: Partial<AuditQuery> = {},
): Promise<AuditRow[]> {
  const found: AuditRow[] = [];
  let { after } = query;
  for (;;) {
    const asked = { order: "oldest", limit: 1_000, ...query, after } as const;
    const { rows, next } = await storage.auditPage(systemPrincipal, asked);
    found.push(...rows);
    if (next === null) return found;
    after = next;
  }
}
