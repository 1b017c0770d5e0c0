import type { Client, McpSubscription } from "@modelcontextprotocol/client";
import { pauseAfter } from "./back-off.ts";
import type { UpstreamTimings } from "./timings.ts";

/**
 * Calls `relist` after the server announced that its tools changed: in the legacy era by a notification
 * of its own accord, in the modern one by a subscription (`subscriptions/listen`), which is renewed when
 * it ends. Announcements in quick succession count as one; two listings never run at once.
 *
 * To be created before the client connects, `subscribe` to be called once it has, and `start` when the first
 * listing is complete: so no announcement is missed, and none is followed up too early.
 */
export function watchToolList(options: {
  client: Client;
  timings: UpstreamTimings;
  relist: () => Promise<void>;
  onError: (error: unknown) => void;
}): { subscribe(): void; start(): void; stop(): void } {
  const { client, timings } = options;
  let state: "before" | "watching" | "stopped" = "before";
  let announced = false;
  let listing = false;
  let timer: NodeJS.Timeout | undefined;
  let quietMs = timings.relistMs;
  let listedAtMs = Number.NEGATIVE_INFINITY;
  let renewal: NodeJS.Timeout | undefined;
  let subscription: McpSubscription | undefined;

  const relist = async (): Promise<void> => {
    timer = undefined;
    announced = false;
    listing = true;
    try {
      await options.relist();
    } catch (error) {
      if (state === "watching") options.onError(error);
    } finally {
      listing = false;
      listedAtMs = performance.now();
      if (announced) schedule();
    }
  };
  const schedule = (): void => {
    announced = true;
    if (state !== "watching" || listing || timer !== undefined) return;
    // A server that never stops announcing is listed ever less often.
    quietMs =
      performance.now() - listedAtMs < quietMs * 4
        ? Math.min(quietMs * 2, timings.longestPauseMs)
        : timings.relistMs;
    timer = setTimeout(() => void relist(), quietMs);
  };
  client.setNotificationHandler("notifications/tools/list_changed", schedule);

  const listen = async (failures: number): Promise<void> => {
    let next = failures + 1;
    try {
      subscription = await client.listen(
        { toolsListChanged: true },
        { timeout: timings.livenessMs },
      );
      // What changed while nobody listened was not announced.
      if (failures > 0) schedule();
      if ((await subscription.closed) === "local") return;
      next = 1;
    } catch {
      // The next attempt, or the loss of the connection, tells more than this error.
    }
    if (state === "stopped") return;
    renewal = setTimeout(() => void listen(next), pauseAfter(next, timings, 0));
  };

  return {
    subscribe() {
      const announces = client.getServerCapabilities()?.tools?.listChanged === true;
      if (client.getProtocolEra() === "modern" && announces) void listen(0);
    },
    start() {
      state = "watching";
      if (announced) schedule();
    },
    stop() {
      state = "stopped";
      clearTimeout(timer);
      clearTimeout(renewal);
      void subscription?.close().catch(() => undefined);
    },
  };
}
