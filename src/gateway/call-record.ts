import type { AuditEvent, AuditSink, AuditStatus } from "../core/audit.ts";
import type { CallMetrics } from "../core/call-metrics.ts";
import type { AuthConfiguration, ServerConfiguration } from "../core/configuration.ts";
import { configuredSecrets } from "../core/configured-secrets.ts";
import type { ErrorCode } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { knownSecrets } from "../core/known-secrets.ts";
import type { KnownSecrets } from "../core/known-secrets.ts";
import { redactParams } from "../core/redact.ts";
import { hideCredential } from "../core/shown-credential.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { CallerContext } from "./gateway.ts";
import type { RefusalRecord } from "./refusal-record.ts";

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
  /** Whether a limit refused it; its arguments were not looked at then. */
  isLimited: boolean;
  args: JsonObject;
}

/** Characters of JSON of arguments for what does not exist. */
const mostForNothing = 1_024;
/** Characters of a name or an id in a row. */
const longestName = 200;

/**
 * Says once of each tool call how it ended: in its audit row, whose arguments are without what looks like, or
 * is configured as, a secret, and without the credential of the call; and to the metrics. What a limit refused goes to
 * `refusals`.
 */
export function createCallRecord(options: {
  audit: AuditSink;
  refusals: Pick<RefusalRecord, "add">;
  metrics?: CallMetrics | undefined;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  servers: () => ReadonlyMap<string, ServerConfiguration>;
  auth: () => readonly AuthConfiguration[];
}): (caller: CallerContext, end: CallEnd) => void {
  const { audit, refusals, metrics, now, newId, servers, auth } = options;
  const secrets = new WeakMap<ReadonlyMap<string, ServerConfiguration>, KnownSecrets>();

  const secretsNow = (): KnownSecrets => {
    const configured = servers();
    let known = secrets.get(configured);
    if (known === undefined) {
      known = knownSecrets(configuredSecrets(configured.values(), auth()));
      secrets.set(configured, known);
    }
    return known;
  };

  return (
    { principal, clientName, sessionId, projectId, credential },
    { toolName, server, tool, startedMs, status, errorCode, isLimited, args },
  ) => {
    const durationMs = Math.max(0, now() - startedMs);
    const said = (text: string): string => bounded(hideCredential(text, credential));
    // Written out at once: an object that is spread and added to costs many times as much.
    const event: AuditEvent = {
      id: newId(),
      timeMs: startedMs,
      toolName: said(toolName),
      params: isLimited
        ? {}
        : redactParams(args, {
            secrets: secretsNow().with(credential),
            maxLength: errorCode === "not_found" ? mostForNothing : undefined,
          }),
      status,
      durationMs,
      userId: principal.userId,
      organizationId: principal.organizationId,
      projectId: projectId === null ? null : said(projectId),
      sessionId: sessionId === null ? null : said(sessionId),
      clientName: said(clientName),
    };
    if (isLimited) refusals.add(event);
    else audit.append(event);
    metrics?.callEnded({ server, tool, status, errorCode, durationMs });
  };
}

function bounded(name: string): string {
  return name.length <= longestName ? name : oneLine(name.slice(0, 2 * longestName), longestName);
}
