import { sameEntries } from "../core/same-json.ts";
import type { Listing, ListKind } from "../core/mcp.ts";

const kinds: readonly ListKind[] = ["tools", "prompts", "resources", "resourceTemplates"];
/** What a server lists differs with what clients declare, not with how many there are. */
const mostOfServer = 8;

/**
 * One object for listings of a server that are alike: hundreds of clients with a connection of their own mostly
 * see the same, and what is made of it need not be made, or kept, for each.
 */
export function createEqualListings(): (server: string, listing: Listing) => Listing {
  const known = new WeakMap<Listing, Listing>();
  /** By server, the one used last at the end. */
  const recent = new Map<string, Listing[]>();
  return (server, listing) => {
    const before = known.get(listing);
    if (before !== undefined) return before;
    const ofServer = recent.get(server) ?? [];
    const equal = ofServer.find((other) => isSame(listing, other)) ?? listing;
    known.set(listing, equal);
    recent.set(
      server,
      [...ofServer.filter((other) => other !== equal), equal].slice(-mostOfServer),
    );
    return equal;
  };
}

function isSame(one: Listing, other: Listing): boolean {
  return kinds.every((kind) => sameEntries(one[kind], other[kind]));
}
