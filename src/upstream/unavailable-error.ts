import { AppError } from "../core/errors.ts";
import { quoteForShell } from "../core/shell-quote.ts";

/** What a caller of a server that cannot answer is told. `reason` is one line without secrets. */
export function unavailableError(server: string, reason: string, cause?: unknown): AppError {
  return new AppError(
    "upstream_unavailable",
    `Server ${JSON.stringify(server)} is not available: ${reason}`,
    { hint: `agent inspect ${quoteForShell(server)}`, cause },
  );
}
