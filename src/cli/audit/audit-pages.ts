import type { AuditRow } from "../../client/administration-answers.ts";
import { largestPage } from "../../client/administration-client.ts";
import type {
  AdministrationClient,
  AuditFilter,
  AuditPart,
} from "../../client/administration-client.ts";
import { AppError } from "../../core/errors.ts";

type AuditClient = Pick<AdministrationClient, "audit">;

/** The newest rows, at most `limit`, the newest last. */
export async function newestRows(
  client: AuditClient,
  filter: AuditFilter,
  limit: number,
  signal?: AbortSignal,
): Promise<AuditRow[]> {
  const rows: AuditRow[] = [];
  let after: number | undefined;
  while (rows.length < limit) {
    const wanted = Math.min(largestPage, limit - rows.length);
    const page = await pageAfter(client, filter, { order: "newest", limit: wanted, after }, signal);
    rows.push(...page.rows);
    if (page.next === null) break;
    after = page.next;
  }
  return rows.toReversed();
}

/**
 * Every row there is when it begins, the oldest first, page by page: a log that grows as fast as it is read
 * would have no end. `last` is the sequence at which it ends.
 */
export async function* everyRow(
  client: AuditClient,
  filter: AuditFilter,
): AsyncGenerator<{ rows: AuditRow[]; last: number }> {
  const [newest] = await newestRows(client, filter, 1);
  if (newest === undefined) return;
  const last = newest.sequence;
  let after: number | undefined;
  for (;;) {
    const page = await pageAfter(client, filter, { order: "oldest", limit: largestPage, after });
    const rows = page.rows.filter(({ sequence }) => sequence <= last);
    if (rows.length > 0) yield { rows, last };
    if (page.next === null || page.next >= last) return;
    after = page.next;
  }
}

/** One page that leads on: what follows it comes after it, and after what was asked for. */
export async function pageAfter(
  client: AuditClient,
  filter: AuditFilter,
  part: AuditPart,
  signal?: AbortSignal,
): Promise<{ rows: AuditRow[]; next: number | null }> {
  const { rows, next } = await client.audit(filter, part, signal);
  const isBeyond = (sequence: number, than: number | undefined): boolean =>
    than === undefined || (part.order === "oldest" ? sequence > than : sequence < than);
  let before = part.after;
  for (const { sequence } of rows) {
    if (!isBeyond(sequence, before)) throw withoutOrder();
    before = sequence;
  }
  // What takes the gateway long it gives in parts, some without rows: `next` is the last row, or lies beyond it.
  const isNext = next === null || isBeyond(next, before) || (rows.length > 0 && next === before);
  if (!isNext) throw withoutOrder();
  return { rows, next };
}

function withoutOrder(): AppError {
  return new AppError("unreachable", "The gateway's audit pages are in no order", {
    hint: "Is it a OneDoor gateway? agent serve --status shows your own",
  });
}
