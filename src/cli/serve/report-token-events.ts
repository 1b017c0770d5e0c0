import { randomUUID } from "node:crypto";
import type { SessionEvent } from "../../auth/passwords/own-sign-in.ts";
import type { TokenEvent } from "../../auth/token-mint.ts";
import type { AuditSink } from "../../core/audit.ts";
import type { Logger } from "../../core/logger.ts";

/** Issue and revocation of a token go into the log and the audit, by the token's id. */
export function reportTokenEvent(
  event: TokenEvent,
  audit: Pick<AuditSink, "append">,
  logger: Logger,
): void {
  const { kind, tokenId, userId } = event;
  logger.info(`A local token was ${kind}`, { tokenId, userId });
  audit.append({
    id: randomUUID(),
    timeMs: Date.now(),
    toolName: kind === "minted" ? "auth/cli-token" : "auth/logout",
    params: { tokenId },
    status: "success",
    durationMs: 0,
    userId,
    organizationId: null,
    projectId: null,
    sessionId: null,
    clientName: "unknown",
  });
}

/** What becomes of sessions goes into the log; their requests have rows of their own in the audit. */
export function reportSessionEvent(event: SessionEvent, logger: Logger): void {
  const { kind, tokenId, userId, organizationId } = event;
  const fields = { tokenId, userId, organizationId };
  if (kind === "began") logger.info("A user signed in with a password", fields);
  else logger.warn("A refresh token was shown twice, so its session was ended", fields);
}
