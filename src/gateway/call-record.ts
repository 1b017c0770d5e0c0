import type { AuditSink, AuditStatus } from "../core/audit.ts";
import type { CallMetrics } from "../core/call-metrics.ts";
import type { AuthConfiguration, ServerConfiguration } from "../core/configuration.ts";
import { configuredSecrets } from "../core/configured-secrets.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { redactParams } from "../core/redact.ts";
import type { CallerContext } from "./gateway.ts";

/** How a tool call ended. */
export interface CallEnd {
  /** The exposed name; as it was given where no tool was found. */
  toolName: string;
  /** The configured name; undefined when the call came to no server the caller can see. */
  server: string | undefined;
  /** The server's own name of the tool; undefined when it lists none of the name. */
  tool: string | undefined;
  /** Milliseconds since the epoch. */
  startedMs: number;
  status: AuditStatus;
  /** Undefined for results. */
  errorCode: ErrorCode | undefined;
  args: JsonObject;
}

/**
 * Says once of each tool call how it ended: in its audit row, whose arguments are without what looks like, or
 * is configured as, a secret, and without the credential of the call; and to the metrics.
 */
export function createCallRecord(options: {
  audit: AuditSink;
  metrics?: CallMetrics | undefined;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  servers: () => ReadonlyMap<string, ServerConfiguration>;
  auth: readonly AuthConfiguration[];
}): (caller: CallerContext, end: CallEnd) => void {
  const { audit, metrics, now, newId, servers, auth } = options;
  const secrets = new WeakMap<ReadonlyMap<string, ServerConfiguration>, string[]>();

  const secretsNow = (): string[] => {
    const configured = servers();
    const known = secrets.get(configured) ?? configuredSecrets(configured.values(), auth);
    secrets.set(configured, known);
    return known;
  };

  return (
    { principal, clientName, sessionId, projectId, credential },
    { toolName, server, tool, startedMs, status, errorCode, args },
  ) => {
    const durationMs = Math.max(0, now() - startedMs);
    const known = secretsNow();
    audit.append({
      id: newId(),
      timeMs: startedMs,
      toolName,
      params: redactParams(args, {
        secrets: credential === undefined ? known : [...known, credential],
      }),
      status,
      durationMs,
      userId: principal.userId,
      organizationId: principal.organizationId,
      projectId,
      sessionId,
      clientName,
    });
    metrics?.callEnded({ server, tool, status, errorCode, durationMs });
  };
}
