import type { ClientSession } from "../core/client-port.ts";
import type { Listing } from "../core/mcp.ts";
import type { IdleWatch } from "./idle-watch.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { Subscriptions } from "./subscriptions.ts";

/** What is known of one session and its connection. */
export interface SessionEntry {
  readonly session: ClientSession;
  /** The principal whose session it is. */
  readonly owner: string;
  readonly subscriptions: Subscriptions;
  /** Aborted when the session has ended, or all of this. */
  readonly stop: AbortController;
  connection: ServerConnection | undefined;
  opening: Promise<ServerConnection> | undefined;
  listing: Listing | undefined;
  /** To which caller, where that decides what is listed; undefined: that is not known. */
  listedTo: string | undefined;
  /** What the client was shown in its place. */
  told: Listing | undefined;
  idle: IdleWatch | undefined;
  /** Of these resources nothing was heard since the last connection ended. */
  unheard: readonly string[];
  /** A lost connection is about to be opened again. */
  comingBack: boolean;
  usedAtMs: number;
  giveBack: () => void;
  failures: number;
  /** Until then it is not tried again. */
  retryAtMs: number;
  reason: string;
}

/** Its connection, once that has been told again what the client had said before. */
export function live({ opening, connection }: SessionEntry): ServerConnection | undefined {
  return opening === undefined ? connection : undefined;
}

/** Whether something is under way on its connection, or it is being opened. */
export function isWorking({ connection, opening }: SessionEntry): boolean {
  return (
    opening !== undefined ||
    (connection !== undefined && (connection.inFlight > 0 || connection.openQuestions > 0))
  );
}

/** The same, or news of resources are waited for. */
export function isBusy(entry: SessionEntry): boolean {
  return entry.subscriptions.size > 0 || isWorking(entry);
}

/** The connected one that was not used for the longest time. */
export function oldest(
  entries: Iterable<SessionEntry>,
  suits: (entry: SessionEntry) => boolean,
): SessionEntry | undefined {
  let found: SessionEntry | undefined;
  for (const entry of entries) {
    if (entry.connection === undefined || !suits(entry)) continue;
    if (found === undefined || entry.usedAtMs < found.usedAtMs) found = entry;
  }
  return found;
}
