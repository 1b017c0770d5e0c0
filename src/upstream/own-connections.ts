import { callerKey } from "../core/client-port.ts";
import type { ClientPort } from "../core/client-port.ts";
import type { JsonObject } from "../core/json.ts";
import type { ConnectionBudget } from "./connection-budget.ts";
import type { OpeningOptions } from "./open-server-connection.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { UpstreamTimings } from "./timings.ts";

/** What the connections of single clients to one server share with each other. */
export interface OwnConnectionsOptions {
  name: string;
  /** Whether the server is told on whose behalf it is asked, so that it may answer each caller otherwise. */
  forwardsIdentity: boolean;
  /** @throws OpeningError */
  open: (
    options: Pick<
      OpeningOptions,
      | "capabilities"
      | "whose"
      | "signal"
      | "onRelisted"
      | "onResourceUpdated"
      | "onNotification"
      | "onRequest"
    >,
  ) => Promise<ServerConnection>;
  /** Resolves when one can be opened. @throws AppError why none can be */
  admitted: () => Promise<void>;
  budget: ConnectionBudget;
  /**
   * Ends a connection that can be done without, if there is one, so that the budget has one left for `owner`.
   * @param fromOwn one of its own
   */
  makeRoom: (owner: string, fromOwn: boolean) => boolean;
  timings: UpstreamTimings;
  onProblem: (problem: string) => void;
  /** Something was begun or finished, or the number of connections changed. */
  onUse: () => void;
}

/** Takes a connection for `owner` off the budget, at the cost of one that can be done without. */
export function takeFrom(
  { budget, makeRoom }: Pick<OwnConnectionsOptions, "budget" | "makeRoom">,
  owner: string,
): (() => void) | undefined {
  const room = budget.room(owner);
  if (room !== "free" && !makeRoom(owner, room === "share")) return undefined;
  return budget.take(owner);
}

/** The same for clients that declared the same, whatever the order of the keys. */
export function capabilitiesKey(capabilities: JsonObject): string {
  return JSON.stringify(sorted(capabilities));
}

/** What was said to one of whom this is the same may be said to the other. */
export function leaseKey(client: ClientPort, forwardsIdentity: boolean): string {
  const { owner, capabilities, caller } = client;
  const whose = forwardsIdentity && caller !== undefined ? callerKey(caller) : "";
  return `${JSON.stringify(owner)} ${whose} ${capabilitiesKey(capabilities)}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return entries.map(([key, inner]) => [key, sorted(inner)]);
}
