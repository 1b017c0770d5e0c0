import type { JsonObject } from "../core/json.ts";
import { withoutText } from "../core/pin-definition.ts";
import type { StoredPin } from "../core/tool-pin.ts";

/** What is remembered of one tool of a server, or of its instructions: as `StoredPin`. */
export type RememberedPin = Pick<StoredPin, "hash" | "definition" | "pinnedAtMs" | "saidHashes">;

/** Whose pins: the server's name and what it is. */
export interface PinOwner {
  server: string;
  identity: string;
}

/**
 * The pins of all servers, in memory. What is changed in it is written later: `takeChanged` gives it then. What a server
 * no longer lists stays, since it may come back, as may a server that the configuration no longer has, or has
 * otherwise: of those, the ones used last stay.
 */
export interface PinMemory {
  get(owner: PinOwner, tool: string | null): RememberedPin | undefined;
  /** @returns false where it is not kept, since the server has had too many names */
  set(owner: PinOwner, tool: string | null, pin: RememberedPin): boolean;
  /** Whether any tool of it was ever approved, or taken at first sight. */
  knowsTools(owner: PinOwner): boolean;
  /** Of all tools that were ever seen of it, also of those that it no longer lists. */
  hasName(owner: PinOwner, tool: string): boolean;
  /** Whether `set` would keep them all; the instructions always have room. */
  hasRoomFor(owner: PinOwner, tools: readonly (string | null)[]): boolean;
  /** Whose pins went since the last call, to be removed before what changed is written. */
  takeRemoved(): PinOwner[];
  /** Everything that was changed since the last call, as it is now. */
  takeChanged(): StoredPin[];
  /** They could not be written: they are changed still. */
  giveBack(removed: readonly PinOwner[], pins: readonly StoredPin[]): void;
}

/** Names of tools that a server can have had: beyond, there is no remembering. */
export const mostPins = 5_000;
/** Characters of the definitions of a server, all together; beyond, pins are hashes alone. */
const mostCharacters = 16 * 1024 * 1024;

/** What is not configured any more: so many of one name, and so much of all. */
const mostIdleOfName = 4;
const mostIdle = 500;
const mostIdleCharacters = 64 * 1024 * 1024;

interface Remembered {
  owner: PinOwner;
  pins: Map<string | null, RememberedPin>;
  characters: number;
  approvedTools: number;
}

/**
 * @param stored as the storage has them
 * @param configured whose pins are never forgotten
 */
export function createPinMemory(
  stored: readonly StoredPin[],
  configured: () => readonly PinOwner[],
): PinMemory {
  /** The one that came last at the end. */
  const servers = new Map<string, Remembered>();
  const removed = new Map<string, PinOwner>();
  const changed = new Map<string, { owner: PinOwner; tool: string | null }>();

  const rememberedOf = (owner: PinOwner): Remembered => {
    const key = pinOwnerKey(owner);
    let remembered = servers.get(key);
    if (remembered === undefined) {
      const { server, identity } = owner;
      remembered = {
        owner: { server, identity },
        pins: new Map(),
        characters: 0,
        approvedTools: 0,
      };
      servers.set(key, remembered);
    }
    return remembered;
  };
  const find = (owner: PinOwner): Remembered | undefined => servers.get(pinOwnerKey(owner));

  const forgetIdle = (): void => {
    const kept = new Set(configured().map(pinOwnerKey));
    const ofNames = new Map<string, number>();
    let [idle, characters] = [0, 0];
    for (const [key, one] of [...servers].toReversed()) {
      if (kept.has(key)) continue;
      const ofName = (ofNames.get(one.owner.server) ?? 0) + 1;
      ofNames.set(one.owner.server, ofName);
      idle += 1;
      characters += one.characters;
      if (ofName <= mostIdleOfName && idle <= mostIdle && characters <= mostIdleCharacters)
        continue;
      servers.delete(key);
      removed.set(key, one.owner);
    }
  };

  const put = (remembered: Remembered, tool: string | null, given: RememberedPin): boolean => {
    const before = remembered.pins.get(tool);
    if (before === undefined && tool !== null && namesOf(remembered) >= mostPins) return false;
    const rest = remembered.characters - lengthOf(before?.definition);
    const length = lengthOf(given.definition);
    const isKept = rest + length <= mostCharacters;
    const definition =
      isKept || given.definition === null
        ? given.definition
        : withoutText(given.definition, length);
    remembered.characters = rest + lengthOf(definition);
    remembered.pins.set(tool, { ...given, definition });
    if (tool !== null) {
      remembered.approvedTools +=
        Number(given.hash !== null) - Number((before?.hash ?? null) !== null);
    }
    return true;
  };

  const inTime = stored.toSorted((one, other) => one.pinnedAtMs - other.pinnedAtMs);
  for (const { server, identity, tool, ...pin } of inTime) {
    const remembered = rememberedOf({ server, identity });
    put(remembered, tool, pin);
    moveToEnd(servers, pinOwnerKey(remembered.owner), remembered);
  }

  const note = ({ server, identity }: PinOwner, tool: string | null): void => {
    changed.set(JSON.stringify([server, identity, tool]), { owner: { server, identity }, tool });
  };

  return {
    get: (owner, tool) => find(owner)?.pins.get(tool),
    set(owner, tool, pin) {
      const isNew = find(owner) === undefined;
      if (!put(rememberedOf(owner), tool, pin)) return false;
      note(owner, tool);
      if (isNew) forgetIdle();
      return true;
    },
    knowsTools: (owner) => (find(owner)?.approvedTools ?? 0) > 0,
    hasName: (owner, tool) => find(owner)?.pins.has(tool) === true,
    hasRoomFor(owner, tools) {
      const remembered = find(owner);
      const more = tools.filter((tool) => tool !== null && remembered?.pins.has(tool) !== true);
      return more.length === 0 || namesOf(remembered) + more.length <= mostPins;
    },
    takeRemoved() {
      const owners = [...removed.values()];
      removed.clear();
      return owners;
    },
    takeChanged() {
      const pins = [...changed.values()].flatMap(({ owner, tool }) => {
        const pin = find(owner)?.pins.get(tool);
        return pin === undefined ? [] : [{ ...owner, tool, ...pin }];
      });
      changed.clear();
      return pins;
    },
    giveBack(owners, pins) {
      for (const owner of owners) removed.set(pinOwnerKey(owner), owner);
      for (const { tool, ...owner } of pins) note(owner, tool);
    },
  };
}

/** Without the instructions, whose place no tool takes. */
function namesOf(remembered: Pick<Remembered, "pins"> | undefined): number {
  if (remembered === undefined) return 0;
  return remembered.pins.size - Number(remembered.pins.has(null));
}

export function pinOwnerKey({ server, identity }: PinOwner): string {
  return JSON.stringify([server, identity]);
}

function moveToEnd<Value>(map: Map<string, Value>, key: string, value: Value): void {
  map.delete(key);
  map.set(key, value);
}

function lengthOf(definition: JsonObject | null | undefined): number {
  return definition === null || definition === undefined ? 0 : JSON.stringify(definition).length;
}
