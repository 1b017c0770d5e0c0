import type { ErrorCode } from "./errors.ts";
import type { AuditStatus } from "./audit.ts";

/** Told of each tool call when it has ended, allowed or refused. */
export interface CallMetrics {
  callEnded(call: {
    /** The configured name; undefined when the call came to no server the caller can see. */
    server: string | undefined;
    /** The server's own name of the tool; undefined when it lists none of the name. */
    tool: string | undefined;
    status: AuditStatus;
    /** Why it was refused or failed; absent for results, also those with `isError`. */
    errorCode?: ErrorCode | undefined;
    durationMs: number;
  }): void;
}
