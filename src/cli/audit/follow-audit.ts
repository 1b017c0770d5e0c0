import type { AdministrationClient, AuditFilter } from "../../client/administration-client.ts";
import { largestPage } from "../../client/administration-client.ts";
import type { AuditRow } from "../../client/administration-answers.ts";
import { createDeadline } from "../../client/deadline.ts";
import { AppError } from "../../core/errors.ts";
import type { ErrorCode } from "../../core/errors.ts";
import { newestRows, pageAfter } from "./audit-pages.ts";

export interface FollowOptions {
  client: Pick<AdministrationClient, "audit">;
  filter: AuditFilter;
  /** How many rows that are there already are shown first. */
  first: number;
  write: (rows: readonly AuditRow[]) => Promise<void>;
  /** One line for people. */
  say: (line: string) => void;
  /** Resolves after this many milliseconds; rejects when the command is to end. */
  pause: (ms: number) => Promise<void>;
  /** Ends it: aborted by Ctrl-C, or a closed stdout. */
  signal: AbortSignal;
  /** How long one question may take, in milliseconds. */
  timeoutMs: number;
}

/** How often it is asked whether there is more, and how often whether the gateway is back. */
const pollMs = 1000;
const awayMs = 2000;

/** A gateway that is started again is away for a while. */
const passing: ReadonlySet<ErrorCode> = new Set([
  "unreachable",
  "timeout",
  "upstream_unavailable",
  "store_unavailable",
]);

/**
 * Shows rows as they are written, for ever. A gateway that goes away is waited for; what it wrote meanwhile is
 * shown then.
 * @throws AppError what the first question throws, and later what does not pass by itself (`forbidden`, …);
 *   the reason of `signal`
 */
export async function followAudit(options: FollowOptions): Promise<never> {
  const { client, filter, first, write, say, pause, signal } = options;
  const within = async <T>(work: (limit: AbortSignal) => Promise<T>): Promise<T> => {
    const deadline = createDeadline(options.timeoutMs, signal);
    try {
      return await work(deadline.signal);
    } finally {
      deadline.close();
    }
  };

  const shown = await within((limit) => newestRows(client, filter, first, limit));
  await write(shown);
  let after = shown.at(-1)?.sequence;
  let isAway = false;

  /** @returns whether there may be more at once */
  const look = async (): Promise<boolean> => {
    if (isAway) {
      const [newest] = await within((limit) => newestRows(client, filter, 1, limit));
      isAway = false;
      say("The gateway is there again");
      if (after !== undefined && (newest === undefined || newest.sequence < after)) {
        after = undefined;
        say("Its audit log begins anew");
      }
    }
    const part = { order: "oldest", limit: largestPage, after } as const;
    const { rows, next } = await within((limit) => pageAfter(client, filter, part, limit));
    await write(rows);
    after = next ?? rows.at(-1)?.sequence ?? after;
    return next !== null;
  };

  for (;;) {
    let waitMs = pollMs;
    try {
      if (await look()) waitMs = 0;
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof AppError)) throw error;
      if (error.code === "rate_limited") waitMs = (error.retryAfterSeconds ?? 1) * 1000;
      else if (passing.has(error.code)) {
        waitMs = awayMs;
        if (!isAway) say(`${error.message}; waiting for it`);
        isAway = true;
      } else throw error;
    }
    if (waitMs > 0) await pause(waitMs);
  }
}
