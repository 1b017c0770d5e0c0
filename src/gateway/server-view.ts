import type { Upstream } from "../upstream/upstream.ts";
import type { ServerDetail, ServerSummary } from "./gateway.ts";
import type { LiveServer } from "./live-catalog.ts";

/**
 * What people are told of an upstream's state. A server that has failed stays unavailable, with its
 * reason, through every later attempt until one succeeds.
 */
export function availabilityOf(
  upstream: Upstream | undefined,
): Pick<ServerSummary, "state" | "reason"> {
  const state = upstream?.state;
  if (state === undefined) return { state: "starting" };
  if (state.kind === "ready") return { state: "ready" };
  if (state.kind === "stopped") return { state: "unavailable", reason: "stopped" };
  return state.reason === undefined
    ? { state: "starting" }
    : { state: "unavailable", reason: state.reason };
}

export function summaryOf({ configuration, upstream }: LiveServer): ServerSummary {
  return {
    name: configuration.name,
    ...availabilityOf(upstream),
    toolCount: upstream?.tools.length ?? 0,
    tags: configuration.tags,
  };
}

export function detailOf(server: LiveServer): ServerDetail {
  const { configuration, upstream } = server;
  return {
    ...summaryOf(server),
    tools: upstream?.tools ?? [],
    // What the owner of the gateway wrote stands for what the server says of itself.
    instructions: configuration.instructions ?? upstream?.instructions,
    stderrTail: upstream?.stderrTail ?? [],
    serverInfo: upstream?.serverInfo,
  };
}
