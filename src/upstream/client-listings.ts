import { callerKey } from "../core/client-port.ts";
import type { ClientPort } from "../core/client-port.ts";
import type { Listing } from "../core/mcp.ts";
import { principalKey } from "../core/principal.ts";
import { createCapabilityListings } from "./capability-listings.ts";
import type { ListedTo } from "./capability-listings.ts";
import type { CommonConnection } from "./common-connection.ts";
import { describeFailure } from "./failure-reason.ts";
import type { LeasedConnections } from "./leased-connections.ts";
import { waitFor } from "./patience.ts";
import type { Patience } from "./patience.ts";
import type { ServerConnection } from "./server-connection.ts";
import type { SessionConnections } from "./session-connections.ts";

export interface ClientListingsOptions {
  common: CommonConnection;
  sessions: SessionConnections;
  leases: LeasedConnections;
  /** What is listed to clients without capabilities. */
  listing: () => Listing;
  /** Whether a legacy server is given a connection of this client's own. */
  wantsOwn: (client: ClientPort) => boolean;
  /** A modern server hears of nobody's capabilities. */
  isUndeclared: boolean;
  /** Whether a connection of a client's own says whose it is: what is listed on it may be for that caller alone. */
  forwardsIdentity: boolean;
  onCommon: (
    patience: Patience,
    work: (connection: ServerConnection) => Promise<Listing>,
  ) => Promise<Listing>;
  /** How long we wait for what nobody waits for. */
  ourPatience: Patience;
  /** How long a client waits for the listing over its own connection, in milliseconds. */
  ownListingMs: number;
  onChange: () => void;
  /** A client was shown the common listing in place of its own. */
  onFallback: (reason: string) => void;
}

/** What one server lists to whom. */
export interface ClientListings {
  /** As `Upstream.listingFor`. */
  for(client: ClientPort): Promise<Listing>;
  /** What such a client was last listed, without asking. */
  known(client: ClientPort): Listing;
  /** The server may list something else now. */
  expire(): void;
  /** Lists to every set of capabilities again that a modern server was asked for, and tells when that changed. */
  refresh(connection: ServerConnection): Promise<void>;
}

export function createClientListings(options: ClientListingsOptions): ClientListings {
  const { common, sessions, leases, listing, ourPatience } = options;
  const byCapabilities = createCapabilityListings();
  /** A modern server is asked on the gateway's behalf, whoever wants to know. */
  const asTold = ({ capabilities, caller }: ClientPort): ListedTo => ({
    capabilities,
    caller:
      options.forwardsIdentity && common.era !== "modern" && caller !== undefined
        ? { key: callerKey(caller), owner: principalKey(caller.principal) }
        : undefined,
  });

  /** What can be said without asking the server. */
  const shown = (client: ClientPort): Listing | undefined => {
    const { capabilities, session } = client;
    const { era } = common;
    const isCommon =
      era === "modern"
        ? options.isUndeclared || Object.keys(capabilities).length === 0
        : !options.wantsOwn(client);
    if (isCommon || era === undefined) return listing();
    return era === "legacy" && session !== undefined
      ? sessions.knownListing(session)
      : byCapabilities.fresh(asTold(client));
  };
  const ask = async (client: ClientPort): Promise<Listing | undefined> => {
    const { capabilities, session } = client;
    if (common.era === "modern") {
      return byCapabilities.get(asTold(client), () =>
        options.onCommon(ourPatience, (connection) => connection.listAs(capabilities)),
      );
    }
    if (session !== undefined) return sessions.listing(session, client.owner);
    return byCapabilities.get(asTold(client), () =>
      leases.run(client, ourPatience, (connection) => connection.list()),
    );
  };
  const known = (client: ClientPort): Listing => byCapabilities.known(asTold(client)) ?? listing();

  return {
    async for(client) {
      const ready = shown(client);
      if (ready !== undefined) return ready;
      const { kind } = common.state;
      // A modern server that rests is not started to be listed.
      const reachable = kind === "ready" || (kind === "idle" && common.era === "legacy");
      if (!reachable) return known(client);
      const patience = { ...ourPatience, timeoutMs: options.ownListingMs };
      try {
        const own = await waitFor(ask(client), patience, () => common.unavailable());
        return own ?? listing();
      } catch (error) {
        if (client.session !== undefined) sessions.toldInstead(listing(), client.session);
        options.onFallback(describeFailure(error));
        return listing();
      }
    },
    known,
    expire: () => byCapabilities.expire(),
    async refresh(connection) {
      const changed = await byCapabilities.refresh((capabilities) =>
        connection.listAs(capabilities),
      );
      if (changed) options.onChange();
    },
  };
}
