import type { AuditEvent, AuditSink } from "../core/audit.ts";

/** A call that was refused without its arguments being looked at. */
export type Refusal = Omit<AuditEvent, "id" | "params" | "status">;

export interface RefusalRecord {
  /** Writes a row for it, without arguments, unless too many of the same principal were refused in this minute. */
  add(refusal: Refusal): void;
  /** Ends the minute: what was left out in it is told in one row for each principal. */
  flush(): void;
}

/** More refusals of one principal than this in one minute are counted, not written: nobody must fill the database. */
const mostInWindow = 60;
const windowMs = 60_000;
/** Further principals within a minute count as one, which nobody in particular is. */
const mostPrincipals = 1_000;

interface Counted extends Pick<Refusal, "userId" | "organizationId"> {
  count: number;
}

const nobody = { userId: null, organizationId: null };

/**
 * Audit rows for tool calls that were refused before anybody looked at them: of callers that were not let in, who are
 * one principal together, and of principals beyond their limit. One minute runs for all, from the first refusal.
 */
export function createRefusalRecord(options: {
  audit: AuditSink;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
}): RefusalRecord {
  const { audit, now, newId } = options;
  const counted = new Map<string, Counted>();
  let window: NodeJS.Timeout | undefined;

  const append = (refusal: Refusal, params: AuditEvent["params"]): void => {
    audit.append({ ...refusal, id: newId(), params, status: "denied" });
  };

  const countOf = ({ userId, organizationId }: typeof nobody | Refusal): Counted => {
    const key = JSON.stringify([userId, organizationId]);
    const known = counted.get(key);
    if (known !== undefined) return known;
    if (userId !== null && counted.size >= mostPrincipals) return countOf(nobody);
    const fresh = { userId, organizationId, count: 0 };
    counted.set(key, fresh);
    return fresh;
  };

  const flush = (): void => {
    clearTimeout(window);
    window = undefined;
    for (const { userId, organizationId, count } of counted.values()) {
      const leftOut = count - mostInWindow;
      if (leftOut > 0)
        append({ ...unknownCall, timeMs: now(), userId, organizationId }, { leftOut });
    }
    counted.clear();
  };

  return {
    add(refusal) {
      window ??= setTimeout(flush, windowMs).unref();
      const known = countOf(refusal);
      known.count += 1;
      if (known.count <= mostInWindow) append(refusal, {});
    },
    flush,
  };
}

/** What is not known of calls that were only counted. */
const unknownCall = {
  toolName: "unknown",
  durationMs: 0,
  clientName: "unknown",
  sessionId: null,
  projectId: null,
};
