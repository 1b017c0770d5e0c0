import type { JsonObject } from "../core/json.ts";
import type { Listing } from "../core/mcp.ts";
import { shareEqual } from "./listing-fetch.ts";
import { capabilitiesKey } from "./own-connections.ts";

/** Sets of capabilities whose listing is kept. */
const mostSets = 32;
/** What a client declares is small; what is not is not worth a listing of its own. */
const longestKey = 8192;

/** What a server lists to clients that declared the same, kept until something changed. */
export interface CapabilityListings {
  /**
   * @param fetch lists for these capabilities; called when that is not known, once at a time for each set
   * @throws what `fetch` throws
   * @returns undefined when these capabilities get no listing of their own
   */
  get(capabilities: JsonObject, fetch: () => Promise<Listing>): Promise<Listing | undefined>;
  /** The listing for these capabilities as long as nothing changed, without asking. */
  fresh(capabilities: JsonObject): Listing | undefined;
  /** The last listing for these capabilities, without asking. */
  known(capabilities: JsonObject): Listing | undefined;
  /** The server may list something else now: each set is listed again when it is next asked for. */
  expire(): void;
  /** Lists every set again. @returns whether any of them changed; a set that cannot be listed has not */
  refresh(fetch: (capabilities: JsonObject) => Promise<Listing>): Promise<boolean>;
}

interface Entry {
  readonly capabilities: JsonObject;
  listing: Listing | undefined;
  /** After how many changes it was fetched. */
  freshAt: number | undefined;
  pending: { at: number; listing: Promise<Listing> } | undefined;
}

export function createCapabilityListings(): CapabilityListings {
  const entries = new Map<string, Entry>();
  let changes = 0;
  /** Of the object a client declared: a session's is the same in each of its requests. */
  const keys = new WeakMap<JsonObject, string>();

  const keyOf = (capabilities: JsonObject): string => {
    let key = keys.get(capabilities);
    if (key === undefined) {
      key = capabilitiesKey(capabilities);
      keys.set(capabilities, key);
    }
    return key;
  };
  const entryOf = (key: string, capabilities: JsonObject): Entry => {
    const entry = entries.get(key) ?? {
      capabilities,
      listing: undefined,
      freshAt: undefined,
      pending: undefined,
    };
    // The one used last comes last, and the first is the first to go.
    entries.delete(key);
    entries.set(key, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= mostSets) break;
      entries.delete(oldest);
    }
    return entry;
  };
  const refetch = async (
    entry: Entry,
    fetch: () => Promise<Listing>,
    at: number,
  ): Promise<Listing> => {
    try {
      const listing = await fetch();
      entry.listing = entry.listing === undefined ? listing : shareEqual(listing, entry.listing);
      entry.freshAt = at;
      return entry.listing;
    } finally {
      if (entry.pending?.at === at) entry.pending = undefined;
    }
  };
  /** Joins the fetch that is under way, unless something changed after it had begun. */
  const fetched = (entry: Entry, fetch: () => Promise<Listing>): Promise<Listing> => {
    if (entry.pending?.at !== changes) {
      entry.pending = { at: changes, listing: refetch(entry, fetch, changes) };
    }
    return entry.pending.listing;
  };
  return {
    async get(capabilities, fetch) {
      const key = keyOf(capabilities);
      if (key.length > longestKey) return undefined;
      const entry = entryOf(key, capabilities);
      return entry.freshAt === changes && entry.listing !== undefined
        ? entry.listing
        : fetched(entry, fetch);
    },
    fresh(capabilities) {
      const entry = entries.get(keyOf(capabilities));
      return entry?.freshAt === changes ? entry.listing : undefined;
    },
    known: (capabilities) => entries.get(keyOf(capabilities))?.listing,
    expire() {
      changes++;
    },
    async refresh(fetch) {
      const refreshed = Array.from(entries.values(), async (entry) => {
        const before = entry.listing;
        if (before === undefined) return false;
        return fetched(entry, () => fetch(entry.capabilities)).then(
          (listing) => listing !== before,
          () => false,
        );
      });
      return (await Promise.all(refreshed)).includes(true);
    },
  };
}
