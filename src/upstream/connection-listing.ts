import type { JsonObject } from "../core/json.ts";
import type { Listing, ListKind } from "../core/mcp.ts";
import { describeFailure } from "./failure-reason.ts";
import { fetchListing, nothingFetched, refetchListing, shareEqual } from "./listing-fetch.ts";
import type { FetchedListing, ListingSource } from "./listing-fetch.ts";
import { watchListing } from "./listing-watch.ts";
import type { UpstreamTimings } from "./timings.ts";

export interface ConnectionListing {
  /** Empty until `list` has resolved. */
  readonly listing: Listing;
  /** Why parts are missing, one line each. */
  readonly problems: readonly string[];
  /**
   * Lists everything, once for the whole connection; from then on announced changes are followed.
   * @param again what was listed was meant for another caller
   */
  list(again?: boolean): Promise<Listing>;
  /** What a client with these capabilities is listed (2026-07-28: they stand in each request); not followed. */
  listAs(declared: JsonObject): Promise<Listing>;
  /** @returns whether the notification announced a changed list */
  hear(method: string): boolean;
  /** Anything may have changed while nobody listened. */
  suspect(): void;
  stop(): void;
}

/** What one connection lists, kept up to date. */
export function createConnectionListing(options: {
  serverCapabilities: JsonObject;
  fetch: (
    method: string,
    params: JsonObject,
    signal: AbortSignal,
    declared?: JsonObject,
  ) => Promise<JsonObject>;
  faultOf: ListingSource["faultOf"];
  timings: UpstreamTimings;
  /** What is equal to a part of this is kept as that part. */
  reference: () => Listing;
  scrub: (text: string) => string;
  /** The server announced a change and was listed again. @param changed whether this listing changed */
  onRelisted: (changed: boolean) => void;
  onProblem: (problem: string) => void;
}): ConnectionListing {
  const { serverCapabilities, fetch, timings, scrub } = options;
  const ended = new AbortController();
  const source: ListingSource = {
    serverCapabilities,
    fetch,
    faultOf: options.faultOf,
    timings,
    signal: ended.signal,
  };
  let current: FetchedListing = nothingFetched;
  let listed: Promise<Listing> | undefined;

  const linesOf = (fetched: FetchedListing, kinds: Iterable<ListKind>): string[] =>
    [...kinds].flatMap((kind) =>
      (fetched.problems.get(kind) ?? []).map((problem) => `${kind}: ${scrub(problem)}`),
    );
  const adopt = (fetched: FetchedListing, kinds: Iterable<ListKind>): boolean => {
    const before = current.listing;
    const listing = shareEqual(shareEqual(fetched.listing, options.reference()), before);
    current = { ...fetched, listing };
    for (const line of linesOf(fetched, kinds)) options.onProblem(line);
    return listing !== before;
  };
  const watch = watchListing({
    timings,
    async relist(kinds) {
      const changed = adopt(await refetchListing(current, kinds, source), kinds);
      if (!ended.signal.aborted) options.onRelisted(changed);
    },
    onError: (error) => options.onProblem(`listing again: ${scrub(describeFailure(error))}`),
  });
  const list = async (): Promise<Listing> => {
    const fetched = await fetchListing(source);
    adopt(fetched, fetched.problems.keys());
    watch.start();
    return current.listing;
  };

  return {
    get listing() {
      return current.listing;
    },
    get problems() {
      return linesOf(current, current.problems.keys());
    },
    list(again = false) {
      if (again) listed = undefined;
      listed ??= list();
      return listed;
    },
    async listAs(declared) {
      const { listing } = await fetchListing({
        ...source,
        fetch: (method, params, signal) => fetch(method, params, signal, declared),
      });
      return shareEqual(listing, current.listing);
    },
    hear: (method) => watch.hear(method),
    suspect: () => watch.suspect(["tools", "prompts", "resources", "resourceTemplates"]),
    stop() {
      ended.abort();
      watch.stop();
    },
  };
}
