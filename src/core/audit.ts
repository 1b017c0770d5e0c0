import type { JsonObject } from "./json.ts";

export const auditStatuses = ["success", "error", "denied"] as const;
export type AuditStatus = (typeof auditStatuses)[number];

/** One tool call, allowed or refused: one row of `mcp_audit_log`. */
export interface AuditEvent {
  id: string;
  /** Milliseconds since the epoch. */
  timeMs: number;
  toolName: string;
  /** Already redacted and capped. */
  params: JsonObject;
  status: AuditStatus;
  durationMs: number;
  userId: string | null;
  organizationId: string | null;
  projectId: string | null;
  sessionId: string | null;
  clientName: string;
}

/** A row as it is read back. */
export interface AuditRow extends AuditEvent {
  /** The order of writing; pages and followers go by it. */
  sequence: number;
}

export interface AuditQuery {
  /** By the order of writing. */
  order: "newest" | "oldest";
  limit: number;
  /** Rows beyond this one in the order asked (exclusive). */
  after?: number | undefined;
  /** From this time on, inclusive; milliseconds since the epoch, as the next. */
  sinceMs?: number | undefined;
  /** Exclusive. */
  untilMs?: number | undefined;
  /** A name with `*` and `?` (`matchesGlob`). */
  toolName?: string | undefined;
  status?: AuditStatus | undefined;
  userId?: string | undefined;
  organizationId?: string | undefined;
  projectId?: string | undefined;
  sessionId?: string | undefined;
  clientName?: string | undefined;
}

/** Takes events without ever delaying or failing the caller. */
export interface AuditSink {
  append(event: AuditEvent): void;
  /** Resolves when everything appended so far is written, or after the sink gave up on it. */
  flush(): Promise<void>;
  /** Events that wait to be written. */
  readonly queued: number;
  /** Events lost since the start: the queue was full, or the storage failed again and again. */
  readonly dropped: number;
}
