import { isDeepStrictEqual } from "node:util";
import type { JsonObject } from "../core/json.ts";
import { RpcFault, rpcCodes } from "../core/json-rpc.ts";
import { emptyListing } from "../core/mcp.ts";
import type { Listing, ListKind, Tool } from "../core/mcp.ts";
import { timeLimit } from "../core/time-limit.ts";
import { describeFailure } from "./failure-reason.ts";
import { listKind, listKinds, listRules } from "./list-kind.ts";
import type { KindList } from "./list-kind.ts";
import type { UpstreamTimings } from "./timings.ts";

/** Tools left out that are named one by one. */
const mostFaults = 10;

export interface ListingSource {
  /** As the server announced them: what it does not offer is not asked for. */
  serverCapabilities: JsonObject;
  fetch: (method: string, params: JsonObject, signal: AbortSignal) => Promise<JsonObject>;
  /** Why a tool cannot be called over this connection and must not be listed. */
  faultOf: ((tool: Tool) => string | undefined) | undefined;
  timings: Pick<UpstreamTimings, "startMs" | "listMs">;
  signal: AbortSignal;
}

export interface FetchedListing {
  listing: Listing;
  /** One line each; the kind they belong to comes first. */
  problems: ReadonlyMap<ListKind, readonly string[]>;
}

/**
 * Everything a server lists, all kinds at once. A server that fails to list its tools fails the whole; the
 * other kinds are then empty and a problem says why.
 */
export async function fetchListing(source: ListingSource): Promise<FetchedListing> {
  const optional = async <Kind extends ListKind>(kind: Kind): Promise<KindList<Kind>> => {
    try {
      return await fetchKind(kind, source);
    } catch (error) {
      source.signal.throwIfAborted();
      return { entries: [], problems: [describeFailure(error)] };
    }
  };
  const [tools, prompts, resources, resourceTemplates] = await Promise.all([
    fetchTools(source),
    optional("prompts"),
    optional("resources"),
    optional("resourceTemplates"),
  ]);
  return {
    listing: {
      tools: tools.entries,
      prompts: prompts.entries,
      resources: resources.entries,
      resourceTemplates: resourceTemplates.entries,
    },
    problems: new Map([
      ["tools", tools.problems],
      ["prompts", prompts.problems],
      ["resources", resources.problems],
      ["resourceTemplates", resourceTemplates.problems],
    ]),
  };
}

/** Lists some kinds again; the others stay. @throws when one of them cannot be listed */
export async function refetchListing(
  before: FetchedListing,
  kinds: ReadonlySet<ListKind>,
  source: ListingSource,
): Promise<FetchedListing> {
  const problems = new Map(before.problems);
  const refetch = async (kind: ListKind): Promise<Partial<Listing>> => {
    if (!kinds.has(kind)) return {};
    const fetched = await (kind === "tools" ? fetchTools(source) : fetchKind(kind, source));
    problems.set(kind, fetched.problems);
    return { [kind]: fetched.entries };
  };
  const parts = await Promise.all(listKinds.map(refetch));
  return { listing: Object.assign({}, before.listing, ...parts), problems };
}

/** The tools, without those that cannot be called. */
async function fetchTools(source: ListingSource): Promise<KindList<"tools">> {
  const { entries, problems } = await fetchKind("tools", source);
  const faults: string[] = [];
  const usable = entries.filter((tool) => {
    const fault = source.faultOf?.(tool);
    if (fault !== undefined) faults.push(`${JSON.stringify(tool.name)} left out: ${fault}`);
    return fault === undefined;
  });
  const more = faults.length - mostFaults;
  const told = faults.slice(0, mostFaults).concat(more > 0 ? [`${more} more left out`] : []);
  return { entries: usable, problems: problems.concat(told) };
}

async function fetchKind<Kind extends ListKind>(
  kind: Kind,
  { serverCapabilities, fetch, timings, signal }: ListingSource,
): Promise<KindList<Kind>> {
  const { capability, method } = listRules[kind];
  if (serverCapabilities[capability] === undefined) return { entries: [], problems: [] };
  const limitMs = kind === "tools" ? timings.startMs : timings.listMs;
  const limit = timeLimit(limitMs);
  const either = AbortSignal.any([signal, limit]);
  try {
    return await listKind(kind, (params) => fetch(method, params, either));
  } catch (error) {
    if (error instanceof RpcFault) {
      if (error.code === rpcCodes.methodNotFound) return { entries: [], problems: [] };
      throw new Error(`it refused ${method}: ${error.message}`, { cause: error });
    }
    if (limit.aborted && !signal.aborted) {
      throw new Error(`it did not answer within ${limitMs / 1000} s`, { cause: error });
    }
    throw error;
  }
}

/**
 * A listing that equals another one as that other one, else kind by kind: who compares by identity sees
 * what changed, and two hundred connections to one server do not hold its lists two hundred times.
 */
export function shareEqual(next: Listing, other: Listing): Listing {
  const same = <Kind extends ListKind>(kind: Kind): Listing[Kind] =>
    isDeepStrictEqual(next[kind], other[kind]) ? other[kind] : next[kind];
  const shared: Listing = {
    tools: same("tools"),
    prompts: same("prompts"),
    resources: same("resources"),
    resourceTemplates: same("resourceTemplates"),
  };
  const isAll = (whole: Listing): boolean =>
    listKinds.every((kind) => shared[kind] === whole[kind]);
  return [other, next].find(isAll) ?? shared;
}

export const nothingFetched: FetchedListing = { listing: emptyListing, problems: new Map() };
