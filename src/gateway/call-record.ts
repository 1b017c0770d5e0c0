import type { AuditSink, AuditStatus } from "../core/audit.ts";
import type { AuthConfiguration, ServerConfiguration } from "../core/configuration.ts";
import { configuredSecrets } from "../core/configured-secrets.ts";
import type { JsonObject } from "../core/json.ts";
import { redactParams } from "../core/redact.ts";
import type { CallerContext } from "./gateway.ts";

/** How a tool call ended. */
export interface CallEnd {
  toolName: string;
  /** Milliseconds since the epoch. */
  startedMs: number;
  status: AuditStatus;
  args: JsonObject;
}

/** Writes the audit row of a tool call; its arguments without what looks like, or is configured as, a secret. */
export function createCallRecord(options: {
  audit: AuditSink;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  servers: () => ReadonlyMap<string, ServerConfiguration>;
  auth: readonly AuthConfiguration[];
}): (caller: CallerContext, end: CallEnd) => void {
  const { audit, now, newId, servers, auth } = options;
  const secrets = new WeakMap<ReadonlyMap<string, ServerConfiguration>, string[]>();

  const secretsNow = (): string[] => {
    const configured = servers();
    const known = secrets.get(configured) ?? configuredSecrets(configured.values(), auth);
    secrets.set(configured, known);
    return known;
  };

  return (
    { principal, clientName, sessionId, projectId },
    { toolName, startedMs, status, args },
  ) => {
    audit.append({
      id: newId(),
      timeMs: startedMs,
      toolName,
      params: redactParams(args, { secrets: secretsNow() }),
      status,
      durationMs: Math.max(0, now() - startedMs),
      userId: principal.userId,
      organizationId: principal.organizationId,
      projectId,
      sessionId,
      clientName,
    });
  };
}
