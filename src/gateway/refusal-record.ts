import type { AuditSink } from "../core/audit.ts";
import type { CallerContext } from "./gateway.ts";

/** What is known of a caller before anybody has said who it is; it says so itself. */
export type UnknownCaller = Omit<CallerContext, "principal" | "client">;

export interface RefusalRecord {
  /** Writes a row for a call that was refused at the door, unless too many were in this minute. */
  add(toolName: string, caller: UnknownCaller): void;
  /** Ends the minute: what was left out in it is told in one row. */
  flush(): void;
}

/** More refusals than this in one minute are counted, not written: strangers must not fill the database. */
const mostInWindow = 60;
const windowMs = 60_000;

/** Audit rows for tool calls of callers that were not let in. Their arguments were never read. */
export function createRefusalRecord(options: {
  audit: AuditSink;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
}): RefusalRecord {
  const { audit, now, newId } = options;
  let window: NodeJS.Timeout | undefined;
  let count = 0;

  const append = (toolName: string, params: { leftOut?: number }, caller: UnknownCaller): void => {
    const { clientName, sessionId, projectId } = caller;
    audit.append({
      id: newId(),
      timeMs: now(),
      toolName,
      params: { ...params },
      status: "denied",
      durationMs: 0,
      userId: null,
      organizationId: null,
      projectId,
      sessionId,
      clientName,
    });
  };

  const flush = (): void => {
    clearTimeout(window);
    window = undefined;
    const leftOut = count - mostInWindow;
    count = 0;
    if (leftOut <= 0) return;
    append("unknown", { leftOut }, { clientName: "unknown", sessionId: null, projectId: null });
  };

  return {
    add(toolName, caller) {
      window ??= setTimeout(flush, windowMs).unref();
      count += 1;
      if (count <= mostInWindow) append(toolName, {}, caller);
    },
    flush,
  };
}
