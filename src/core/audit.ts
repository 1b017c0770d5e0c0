import type { JsonObject } from "./json.ts";

export type AuditStatus = "success" | "error" | "denied";

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

/** Takes events without ever delaying or failing the caller. */
export interface AuditSink {
  append(event: AuditEvent): void;
  /** Resolves when everything appended so far is written, or after the sink gave up on it. */
  flush(): Promise<void>;
}
