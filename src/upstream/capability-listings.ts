import type { JsonObject } from "../core/json.ts";
import type { Listing } from "../core/mcp.ts";
import { shareEqual } from "./listing-fetch.ts";
import { capabilitiesKey } from "./own-connections.ts";

/** Sets of capabilities whose listing is kept, of all callers together or of one principal. */
const mostSets = 32;
/** The same of all principals together. */
const mostInAll = 256;
/** What a client declares is small; what is not is not worth a listing of its own. */
const longestKey = 8192;

/** Clients of whom this is alike are listed the same. */
export interface ListedTo {
  readonly capabilities: JsonObject;
  /** Where a server may list each caller something else: which one, and of which principal; undefined: of all. */
  readonly caller: { readonly key: string; readonly owner: string } | undefined;
}

/** What a server lists to clients that are alike to it, kept until something changed. */
export interface CapabilityListings {
  /**
   * @param fetch lists to such a client; called when that is not known, once at a time for each
   * @throws what `fetch` throws
   * @returns undefined when these capabilities get no listing of their own
   */
  get(to: ListedTo, fetch: () => Promise<Listing>): Promise<Listing | undefined>;
  /** The listing for such a client as long as nothing changed, without asking. */
  fresh(to: ListedTo): Listing | undefined;
  /** The last listing for such a client, without asking. */
  known(to: ListedTo): Listing | undefined;
  /** The server may list something else now: each set is listed again when it is next asked for. */
  expire(): void;
  /** Lists every set again that is no caller's own. @returns whether any of them changed; a set that cannot be listed has not */
  refresh(fetch: (capabilities: JsonObject) => Promise<Listing>): Promise<boolean>;
}

interface Entry extends ListedTo {
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

  const setOf = (capabilities: JsonObject): string => {
    let key = keys.get(capabilities);
    if (key === undefined) {
      key = capabilitiesKey(capabilities);
      keys.set(capabilities, key);
    }
    return key;
  };
  const keyOf = ({ capabilities, caller }: ListedTo): string =>
    `${setOf(capabilities)} ${caller?.key ?? ""}`;
  /** One of the same principal is the first to go, so that nobody drives out what others were listed. */
  const makeRoom = ({ caller: added }: Entry): void => {
    const alike = [...entries].filter(([, { caller }]) => caller?.owner === added?.owner);
    const [oldest] = alike.length > mostSets ? alike : entries;
    if (oldest !== undefined && (alike.length > mostSets || entries.size > mostInAll)) {
      entries.delete(oldest[0]);
    }
  };
  const entryOf = (key: string, { capabilities, caller }: ListedTo): Entry => {
    const known = entries.get(key);
    const entry = known ?? {
      capabilities,
      caller,
      listing: undefined,
      freshAt: undefined,
      pending: undefined,
    };
    // The one used last comes last, and the first is the first to go.
    entries.delete(key);
    entries.set(key, entry);
    if (known === undefined) makeRoom(entry);
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
    async get(to, fetch) {
      if (setOf(to.capabilities).length > longestKey) return undefined;
      const entry = entryOf(keyOf(to), to);
      return entry.freshAt === changes && entry.listing !== undefined
        ? entry.listing
        : fetched(entry, fetch);
    },
    fresh(to) {
      const entry = entries.get(keyOf(to));
      return entry?.freshAt === changes ? entry.listing : undefined;
    },
    known: (to) => entries.get(keyOf(to))?.listing,
    expire() {
      changes++;
    },
    async refresh(fetch) {
      const refreshed = Array.from(entries.values(), async (entry) => {
        const before = entry.listing;
        if (before === undefined || entry.caller !== undefined) return false;
        return fetched(entry, () => fetch(entry.capabilities)).then(
          (listing) => listing !== before,
          () => false,
        );
      });
      return (await Promise.all(refreshed)).includes(true);
    },
  };
}
