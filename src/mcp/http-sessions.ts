import type { Principal } from "../core/principal.ts";
import type { LegacySession } from "./legacy-session.ts";
import type { SessionStreams } from "./session-streams.ts";

/** One legacy session over Streamable HTTP. */
export interface HttpSession {
  readonly session: LegacySession;
  readonly streams: SessionStreams;
  /** Its POSTs that are worked on. */
  working: number;
  /** Whose credential was taken back: unless somebody else goes on with it, it ends when nothing is worked on. */
  over?: Principal | undefined;
}

/** The sessions of all clients. A session is found by its own principal only. */
export interface HttpSessions {
  /** Over the bounds, the one of them that was unused for longest ends. */
  add(session: HttpSession, owner: string): void;
  /** Undefined when it does not exist, has ended, or is somebody else's. */
  find(id: string, owner: string): HttpSession | undefined;
  end(id: string, owner: string): boolean;
  /** Ends those that nobody has used for a while and that hold no connection. */
  sweep(): void;
  all(): Iterable<HttpSession>;
  readonly count: number;
}

export interface SessionLimits {
  inTotal: number;
  perPrincipal: number;
  /** Milliseconds. */
  idleMs: number;
}

/** A session costs some kilobytes here, and perhaps a connection to each server. */
export const defaultSessionLimits: SessionLimits = {
  inTotal: 10_000,
  perPrincipal: 1_000,
  idleMs: 60 * 60_000,
};

interface Entry extends HttpSession {
  owner: string;
  usedAtMs: number;
  /** When it was last put at the end of the order of use. */
  placedAtMs: number;
}

/** To this the order of use is exact, in milliseconds: putting a session at its end with each message is dear. */
const orderMs = 1_000;

export function createHttpSessions(options: {
  limits: SessionLimits;
  /** Milliseconds, monotonic or not. */
  now: () => number;
}): HttpSessions {
  const { limits, now } = options;
  /** In the order of last use as far as it is kept, oldest first. */
  const sessions = new Map<string, Entry>();
  const perOwner = new Map<string, number>();

  const remove = (entry: Entry): void => {
    const { session, streams, owner } = entry;
    if (!sessions.delete(session.id)) return;
    const others = (perOwner.get(owner) ?? 1) - 1;
    if (others > 0) perOwner.set(owner, others);
    else perOwner.delete(owner);
    session.end();
    streams.end();
  };

  const removeOldest = (isOne: (entry: Entry) => boolean): void => {
    let oldest: Entry | undefined;
    for (const entry of sessions.values()) {
      if (!isOne(entry)) continue;
      oldest ??= entry;
      if (isBusy(entry)) continue;
      oldest = entry;
      break;
    }
    if (oldest !== undefined) remove(oldest);
  };

  const own = (id: string, owner: string): Entry | undefined => {
    const entry = sessions.get(id);
    return entry?.owner === owner ? entry : undefined;
  };

  return {
    add(session, owner) {
      if ((perOwner.get(owner) ?? 0) >= limits.perPrincipal) {
        removeOldest((entry) => entry.owner === owner);
      }
      if (sessions.size >= limits.inTotal) removeOldest(() => true);
      const nowMs = now();
      const entry = Object.assign(session, { owner, usedAtMs: nowMs, placedAtMs: nowMs });
      sessions.set(session.session.id, entry);
      perOwner.set(owner, (perOwner.get(owner) ?? 0) + 1);
    },
    find(id, owner) {
      const entry = own(id, owner);
      if (entry === undefined) return undefined;
      entry.usedAtMs = now();
      if (entry.usedAtMs - entry.placedAtMs >= orderMs) {
        entry.placedAtMs = entry.usedAtMs;
        sessions.delete(id);
        sessions.set(id, entry);
      }
      return entry;
    },
    end(id, owner) {
      const entry = own(id, owner);
      if (entry !== undefined) remove(entry);
      return entry !== undefined;
    },
    sweep() {
      const nowMs = now();
      for (const entry of sessions.values()) {
        if (isBusy(entry)) entry.usedAtMs = nowMs;
        else if (nowMs - entry.usedAtMs > limits.idleMs) remove(entry);
      }
    },
    all: () => sessions.values(),
    get count() {
      return sessions.size;
    },
  };
}

function isBusy({ working, streams }: HttpSession): boolean {
  return working > 0 || streams.connected;
}
