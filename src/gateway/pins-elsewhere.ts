import { pinOwnerKey } from "./pin-memory.ts";
import type { PinOwner } from "./pin-memory.ts";
import type { Offered } from "./pinned-definition.ts";

/** Seen in the listing of a session, and not in the common one. */
export interface Elsewhere {
  tool: string;
  offered: Offered;
}

/** What waits in listings of sessions alone: noted as long as they are in use, since nobody else holds them. */
export interface PinsElsewhere {
  note(owner: PinOwner, seen: Elsewhere): void;
  of(owner: PinOwner): readonly Elsewhere[];
  /** It waits no longer. */
  remove(owner: PinOwner, seen: Elsewhere): void;
  /** Forgets all others. */
  keepOnly(owners: readonly PinOwner[]): void;
}

/** It is shown for so long after its last use, in milliseconds, and so much of each server. */
const lastsMs = 24 * 60 * 60 * 1000;
const mostNoted = 2_000;
const mostCharacters = 8 * 1024 * 1024;

interface Noted {
  /** The one used last at the end. */
  entries: Map<string, Elsewhere & { seenAtMs: number }>;
  characters: number;
}

export function createPinsElsewhere(now: () => number): PinsElsewhere {
  const servers = new Map<string, Noted>();
  const removeFrom = (noted: Noted, key: string): void => {
    noted.characters -= noted.entries.get(key)?.offered.characters ?? 0;
    noted.entries.delete(key);
  };
  return {
    note(owner, { tool, offered }) {
      const server = pinOwnerKey(owner);
      const noted = servers.get(server) ?? { entries: new Map(), characters: 0 };
      servers.set(server, noted);
      const key = keyOf({ tool, offered });
      removeFrom(noted, key);
      noted.entries.set(key, { tool, offered, seenAtMs: now() });
      noted.characters += offered.characters;
      for (const oldest of noted.entries.keys()) {
        if (noted.entries.size <= mostNoted && noted.characters <= mostCharacters) break;
        removeFrom(noted, oldest);
      }
    },
    of(owner) {
      const noted = servers.get(pinOwnerKey(owner));
      if (noted === undefined) return [];
      for (const [key, { seenAtMs }] of noted.entries) {
        if (seenAtMs + lastsMs < now()) removeFrom(noted, key);
      }
      return [...noted.entries.values()];
    },
    remove(owner, seen) {
      const noted = servers.get(pinOwnerKey(owner));
      if (noted !== undefined) removeFrom(noted, keyOf(seen));
    },
    keepOnly(owners) {
      const kept = new Set(owners.map(pinOwnerKey));
      for (const server of servers.keys()) if (!kept.has(server)) servers.delete(server);
    },
  };
}

function keyOf({ tool, offered }: Elsewhere): string {
  return JSON.stringify([tool, offered.hash]);
}
