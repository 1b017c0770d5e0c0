import type { Catalog } from "../core/catalog.ts";
import type { Listing } from "../core/mcp.ts";
import { cutInstructions } from "../core/render-instructions.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { ServerDetail, ServerStatus, ServerSummary } from "./gateway.ts";
import type { LiveServer } from "./live-catalog.ts";
import { offerProblems } from "./offered-listings.ts";
import type { OfferedListing } from "./offered-listings.ts";

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

/** @param shown what of its listing the caller is shown */
export function summaryOf({ configuration, upstream }: LiveServer, shown: Listing): ServerSummary {
  const { tools, prompts, resources, resourceTemplates } = shown;
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

/** How a server is shown to one caller. */
export interface Showing {
  /** What of its listing. */
  shown: Listing;
  /** What it is introduced with. */
  instructions?: string | undefined;
  /** What of its listing is offered to anybody. */
  offered: OfferedListing;
  /** The caller's common one, which knows for what of it clients would refuse a list. */
  catalog: Catalog;
  /** Whether the server is the caller's to manage: its standard error may tell of anybody's calls. */
  manages: boolean;
}

export function detailOf(server: LiveServer, showing: Showing): ServerDetail {
  const { upstream } = server;
  const { shown, instructions, manages } = showing;
  return {
    ...summaryOf(server, shown),
    ...shown,
    instructions: instructions === undefined ? undefined : cutInstructions(instructions),
    stderrTail: (manages ? upstream?.stderrTail : undefined) ?? [],
    serverInfo: upstream?.serverInfo,
    problems: problemsOf(server, showing),
  };
}

export function statusOf(server: LiveServer, showing: Showing): ServerStatus {
  const { configuration, upstream } = server;
  const state = upstream?.state;
  return {
    ...summaryOf(server, showing.shown),
    type: configuration.type,
    connection: configuration.connection,
    connections: upstream?.connections ?? 0,
    era: state !== undefined && "era" in state ? state.era : undefined,
    idle: state?.kind === "idle",
    problems: problemsOf(server, showing),
  };
}

function problemsOf(
  { configuration, upstream }: LiveServer,
  { offered, catalog: { withheld }, manages }: Showing,
): string[] {
  const isKnown = manages && upstream !== undefined && availabilityOf(upstream).state === "ready";
  return [
    ...(upstream?.listingProblems ?? []),
    ...(withheld.get(configuration.name) ?? []),
    ...(isKnown ? offerProblems(configuration, upstream.listing, offered) : []),
  ];
}
