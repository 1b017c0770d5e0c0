import type { Catalog } from "../core/catalog.ts";
import { emptyListing } from "../core/mcp.ts";
import { cutInstructions } from "../core/render-instructions.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { ServerDetail, ServerStatus, ServerSummary } from "./gateway.ts";
import type { LiveServer } from "./live-catalog.ts";

/**
 * What people are told of an upstream's state. A server that has failed stays unavailable, with its
 * reason, through every later attempt until one succeeds; one that rests until somebody needs it is ready.
 */
export function availabilityOf(
  upstream: Upstream | undefined,
): Pick<ServerSummary, "state" | "reason"> {
  const state = upstream?.state;
  switch (state?.kind) {
    case undefined:
      return { state: "starting" };
    case "ready":
    case "idle":
      return { state: "ready" };
    case "stopped":
      return { state: "unavailable", reason: "stopped" };
    case "starting":
    case "waiting":
      return state.reason === undefined
        ? { state: "starting" }
        : { state: "unavailable", reason: state.reason };
  }
}

export function summaryOf({ configuration, upstream }: LiveServer): ServerSummary {
  const { tools, prompts, resources, resourceTemplates } = upstream?.listing ?? emptyListing;
  return {
    name: configuration.name,
    ...availabilityOf(upstream),
    toolCount: tools.length,
    counts: {
      tools: tools.length,
      prompts: prompts.length,
      resources: resources.length,
      resourceTemplates: resourceTemplates.length,
    },
    tags: configuration.tags,
  };
}

/** @param catalog the common one, which knows what was withheld */
export function detailOf(server: LiveServer, catalog: Catalog): ServerDetail {
  const { configuration, upstream } = server;
  // What the owner of the gateway wrote stands for what the server says of itself.
  const instructions = configuration.instructions ?? upstream?.instructions;
  return {
    ...summaryOf(server),
    ...(upstream?.listing ?? emptyListing),
    instructions: instructions === undefined ? undefined : cutInstructions(instructions),
    stderrTail: upstream?.stderrTail ?? [],
    serverInfo: upstream?.serverInfo,
    problems: problemsOf(server, catalog),
  };
}

/** @param catalog as for `detailOf` */
export function statusOf(server: LiveServer, catalog: Catalog): ServerStatus {
  const { configuration, upstream } = server;
  const state = upstream?.state;
  return {
    ...summaryOf(server),
    type: configuration.type,
    connection: configuration.connection,
    connections: upstream?.connections ?? 0,
    era: state !== undefined && "era" in state ? state.era : undefined,
    idle: state?.kind === "idle",
    problems: problemsOf(server, catalog),
  };
}

function problemsOf({ configuration, upstream }: LiveServer, { withheld }: Catalog): string[] {
  return [...(upstream?.listingProblems ?? []), ...(withheld.get(configuration.name) ?? [])];
}
