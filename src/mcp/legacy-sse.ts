import { scopesReach } from "../core/permissions.ts";
import { principalKey } from "../core/principal.ts";
import type { Principal } from "../core/principal.ts";
import type { Gateway } from "../gateway/gateway.ts";
import { createDuplexClient } from "./duplex-client.ts";
import type { DuplexClient } from "./duplex-client.ts";
import type { McpIdentity, UnportedCaller } from "./mcp-identity.ts";
import type { MessageStream } from "./message-stream.ts";

/** One event stream of a client of 2024-11-05, and the address for what it has to say. */
export interface SseSession {
  /** Unguessable; names the session at `/message`. */
  readonly id: string;
  /** The stream is closed: cancels what was being worked on. */
  end(): void;
}

/**
 * The HTTP+SSE transport of 2024-11-05, free of HTTP: one stream for everything a client hears, another
 * address for what it says. Does not authenticate; that is done before, at both addresses.
 */
export interface LegacySse {
  /**
   * @param close ends the stream's connection, when the gateway stops
   * @returns undefined when there are as many streams as may be
   */
  open(caller: UnportedCaller, stream: MessageStream, close: () => void): SseSession | undefined;
  /**
   * The client of a session; undefined when there is none of this id, or it is not this principal's, or a token opened
   * it that is limited to more or to less.
   */
  find(id: string, principal: Principal): DuplexClient | undefined;
  /** Closes every stream, each when what is being worked on for it is answered. */
  endStreams(): void;
  /** Open streams. */
  readonly sessionCount: number;
}

export interface LegacySseOptions {
  gateway: Gateway;
  identity: McpIdentity;
  newId: () => string;
}

/** Each is an open connection, with a session behind it. */
const mostStreams = 1000;
/** One user does not use up what all need. */
const mostStreamsOfUser = 100;

interface Open {
  readonly owner: string;
  readonly opener: Principal;
  readonly client: DuplexClient;
  readonly close: () => void;
}

export function createLegacySse({ gateway, identity, newId }: LegacySseOptions): LegacySse {
  const sessions = new Map<string, Open>();
  let ending = false;

  const countOf = (owner: string): number => {
    let count = 0;
    for (const session of sessions.values()) if (session.owner === owner) count += 1;
    return count;
  };
  const closeWhenIdle = async ({ client, close }: Open): Promise<void> => {
    client.endStreams();
    await client.idle();
    close();
  };

  return {
    open(caller, stream, close) {
      const owner = principalKey(caller.principal);
      const full = sessions.size >= mostStreams || countOf(owner) >= mostStreamsOfUser;
      if (full || ending) return undefined;
      const id = newId();
      // The MCP session behind it has the same name, so that audit rows and addresses agree.
      const client = createDuplexClient({ gateway, identity, caller, stream, newId: () => id });
      sessions.set(id, { owner, opener: caller.principal, client, close });
      return {
        id,
        end() {
          sessions.delete(id);
          client.end();
        },
      };
    },
    find(id, principal) {
      const session = sessions.get(id);
      if (session?.owner !== principalKey(principal)) return undefined;
      const { opener, client } = session;
      // On its stream is said what any of its messages may hear.
      const isAlike = scopesReach(principal, opener) && scopesReach(opener, principal);
      return isAlike ? client : undefined;
    },
    endStreams() {
      ending = true;
      for (const session of sessions.values()) void closeWhenIdle(session);
    },
    get sessionCount() {
      return sessions.size;
    },
  };
}
