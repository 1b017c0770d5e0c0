import type { ListKind } from "../core/mcp.ts";
import type { UpstreamTimings } from "./timings.ts";

const announcements: ReadonlyMap<string, readonly ListKind[]> = new Map([
  ["notifications/tools/list_changed", ["tools"]],
  ["notifications/prompts/list_changed", ["prompts"]],
  ["notifications/resources/list_changed", ["resources", "resourceTemplates"]],
]);

export interface ListingWatch {
  /** @returns whether the notification announced a changed list */
  hear(method: string): boolean;
  /** Something may have changed while nobody could hear of it. */
  suspect(kinds: readonly ListKind[]): void;
  /** From now on announcements are followed up, and those heard before. */
  start(): void;
  stop(): void;
}

/**
 * Calls `relist` after the server announced that lists changed. Announcements in quick succession count as
 * one; two listings never run at once.
 */
export function watchListing(options: {
  timings: Pick<UpstreamTimings, "relistMs" | "longestPauseMs">;
  relist: (kinds: ReadonlySet<ListKind>) => Promise<void>;
  onError: (error: unknown) => void;
}): ListingWatch {
  const { timings } = options;
  let state: "before" | "watching" | "stopped" = "before";
  let announced = new Set<ListKind>();
  let listing = false;
  let timer: NodeJS.Timeout | undefined;
  let quietMs = timings.relistMs;
  let listedAtMs = Number.NEGATIVE_INFINITY;

  const relist = async (): Promise<void> => {
    timer = undefined;
    const kinds = announced;
    announced = new Set();
    listing = true;
    try {
      await options.relist(kinds);
    } catch (error) {
      if (state === "watching") options.onError(error);
    } finally {
      listing = false;
      listedAtMs = performance.now();
      schedule();
    }
  };
  const schedule = (): void => {
    if (announced.size === 0 || state !== "watching" || listing || timer !== undefined) return;
    // A server that never stops announcing is listed ever less often.
    quietMs =
      performance.now() - listedAtMs < quietMs * 4
        ? Math.min(quietMs * 2, timings.longestPauseMs)
        : timings.relistMs;
    timer = setTimeout(() => void relist(), quietMs);
  };
  const suspect = (kinds: readonly ListKind[]): void => {
    for (const kind of kinds) announced.add(kind);
    schedule();
  };
  return {
    hear(method) {
      const kinds = announcements.get(method);
      if (kinds !== undefined) suspect(kinds);
      return kinds !== undefined;
    },
    suspect,
    start() {
      if (state === "before") state = "watching";
      schedule();
    },
    stop() {
      state = "stopped";
      clearTimeout(timer);
    },
  };
}
