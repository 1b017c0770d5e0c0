import type { ServerConfiguration } from "../core/configuration.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import { emptyListing } from "../core/mcp.ts";
import type { Listing } from "../core/mcp.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { Storage } from "../core/storage.ts";
import type { PendingChange } from "../core/tool-pin.ts";
import type { Upstream, UpstreamPool } from "../upstream/upstream.ts";
import { createApprovePins } from "./approve-pins.ts";
import type { ApprovePins } from "./approve-pins.ts";
import { judgeOffered } from "./judge-offered.ts";
import { isLeftOut } from "./offered-listings.ts";
import { createPinMemory } from "./pin-memory.ts";
import type { PinOwner, RememberedPin } from "./pin-memory.ts";
import { createPinNews } from "./pin-news.ts";
import type { News } from "./pin-news.ts";
import { createPinWriter } from "./pin-writer.ts";
import { createPinnedDefinitions } from "./pinned-definition.ts";
import type { Offered } from "./pinned-definition.ts";
import { createPinsElsewhere } from "./pins-elsewhere.ts";
import { serverIdentity } from "./server-identity.ts";
import type { ToolPins } from "./tool-pins.ts";

export interface KeptToolPins extends ToolPins {
  /** Sees from now on what all servers list, and say of themselves, whoever asks for it. */
  watch(pool: Pick<UpstreamPool, "upstreams" | "onChange">): void;
  /** Whether the server lists such a tool, or did; true, too, where it has not listed anything yet. */
  mayHave(server: ServerConfiguration, tool: string): boolean;
  /** Names of tools that it lists. */
  namesOf(server: ServerConfiguration): readonly string[];
  /** What of a server waits for an approval now, in the common listing or in that of a session; each tool once. */
  changesOf(server: ServerConfiguration): readonly PendingChange[];
  approve: ApprovePins;
  /** Writes what still waits to be written. */
  close(): Promise<void>;
}

export interface ToolPinsOptions {
  storage: Pick<Storage, "withPrincipal">;
  /** The configured servers as they are now. */
  servers: () => ReadonlyMap<string, ServerConfiguration>;
  /** Their entries as the file has them. */
  writtenServers: () => ReadonlyMap<string, JsonObject>;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  logger: Logger;
}

/** Hashes of one tool that were said and are not said again. */
const mostSaid = 8;
/** What waits in a listing that is in use is noted again after this time; milliseconds. */
const noteAgainMs = 60_000;

interface Known {
  server: ServerConfiguration;
  version: number;
  withheld: ReadonlySet<string>;
  beyond: ReadonlySet<string>;
  notedAtMs: number;
}

/**
 * Reads what is remembered of all servers.
 * @throws AppError `store_unavailable`
 */
export async function openToolPins(options: ToolPinsOptions): Promise<KeptToolPins> {
  const { storage, servers, writtenServers, now, newId, logger } = options;
  const stored = await storage.withPrincipal(systemPrincipal, (tx) => tx.toolPins.all());
  const memory = createPinMemory(stored, () => configuredOwners());
  const writer = createPinWriter({ storage, memory, newId, logger });
  const news = createPinNews({ logger, now });
  const definitions = createPinnedDefinitions();
  const owners = new WeakMap<ServerConfiguration, PinOwner>();
  const listings = new WeakMap<Listing, Known>();
  const hashes = new WeakMap<Listing, ReadonlySet<string>>();
  const introductions = new Map<string, { server: ServerConfiguration; hash: string }>();
  const elsewhere = createPinsElsewhere(now);
  const listeners = new Set<() => void>();
  let pool: Pick<UpstreamPool, "upstreams"> | undefined;
  let version = 0;
  let telling: NodeJS.Immediate | undefined;

  const ownerOf = (server: ServerConfiguration): PinOwner => {
    let owner = owners.get(server);
    if (owner === undefined) {
      const identity = serverIdentity(server, writtenServers().get(server.name));
      owner = { server: server.name, identity };
      owners.set(server, owner);
    }
    return owner;
  };

  /** Not at once: it is asked on the way of lists, and who is told asks again. */
  const changed = (): void => {
    version += 1;
    telling ??= setImmediate(() => {
      telling = undefined;
      for (const listener of listeners) listener();
    }).unref();
  };

  const commonHashes = (listing: Listing): ReadonlySet<string> => {
    let known = hashes.get(listing);
    if (known === undefined) {
      known = new Set(listing.tools.map((tool) => definitions.tool(tool).hash));
      hashes.set(listing, known);
    }
    return known;
  };

  const isKept = (
    server: ServerConfiguration,
    tool: string | null,
    pin: RememberedPin | undefined,
  ): boolean => pin !== undefined || memory.hasRoomFor(ownerOf(server), [tool]);

  /** Takes what counts from now on, and finds what is to be said. */
  const look = (
    server: ServerConfiguration,
    tool: string | null,
    offered: Offered,
    isFirst: boolean,
  ): News | undefined => {
    const owner = ownerOf(server);
    const pin = memory.get(owner, tool);
    const verdict = judgeOffered(server, pin, offered, isFirst, isKept(server, tool, pin));
    if (verdict.kind === "same") return undefined;
    const { hash, definition: after } = offered;
    const before = pin?.definition ?? null;
    const isOffered = tool === null || !isLeftOut(server.tools, tool);
    if (verdict.kind === "pending") {
      if (!isOffered || pin?.saidHashes.includes(hash) === true) return undefined;
      return { tool, hash, before, after, ...verdict.change };
    }
    const saidHashes = pin?.saidHashes ?? [];
    const pinned = { hash, definition: after, pinnedAtMs: now(), saidHashes };
    if (memory.set(owner, tool, pinned)) writer.write([]);
    if (before !== null) changed();
    // A tool that nobody has seen yet is worth a word to who wants to hear of changes.
    const isSaid = server.pin === "warn" && !isFirst && before === null && isOffered;
    if (!isSaid || saidHashes.includes(hash)) return undefined;
    return { tool, hash, before, after, kind: "new", becameWrite: false, withheld: false };
  };

  const say = (server: ServerConfiguration, found: readonly News[]): void => {
    if (found.length === 0) return;
    const owner = ownerOf(server);
    const { said, rows } = news.tell(server, found);
    for (const { tool, hash } of said) {
      const none = { hash: null, definition: null, pinnedAtMs: now(), saidHashes: [] };
      const pin = memory.get(owner, tool) ?? none;
      const saidHashes = [...pin.saidHashes, hash].slice(-mostSaid);
      memory.set(owner, tool, { ...pin, saidHashes });
    }
    if (rows.length > 0) writer.write(rows);
  };

  const observe = (server: ServerConfiguration, listing: Listing): void => {
    const isFirst = !memory.knowsTools(ownerOf(server));
    const found = listing.tools.flatMap(
      (tool) => look(server, tool.name, definitions.tool(tool), isFirst) ?? [],
    );
    say(server, found);
  };

  /** What waits in a listing that is in use, and not in the common one. */
  const noteElsewhere = (server: ServerConfiguration, listing: Listing): void => {
    const common = pool?.upstreams.get(server.name)?.listing;
    if (common === undefined || common === listing) return;
    const isCommon = commonHashes(common);
    for (const tool of listing.tools) {
      const offered = definitions.tool(tool);
      if (isCommon.has(offered.hash)) continue;
      if (verdictOf(server, tool.name, offered) === undefined) continue;
      elsewhere.note(ownerOf(server), { tool: tool.name, offered });
    }
  };

  /** What waits, of something that was looked at. */
  const verdictOf = (
    server: ServerConfiguration,
    tool: string | null,
    offered: Offered,
  ): PendingChange | undefined => {
    const pin = memory.get(ownerOf(server), tool);
    const verdict = judgeOffered(server, pin, offered, false, isKept(server, tool, pin));
    if (verdict.kind !== "pending") return undefined;
    return {
      server: server.name,
      tool,
      hash: offered.hash,
      before: pin?.definition ?? null,
      after: offered.definition,
      ...verdict.change,
    };
  };

  const judged = (server: ServerConfiguration, listing: Listing): Known => {
    const before = listings.get(listing);
    if (before?.server === server && before.version === version) {
      if (before.withheld.size > 0 && before.notedAtMs + noteAgainMs <= now()) {
        before.notedAtMs = now();
        noteElsewhere(server, listing);
      }
      return before;
    }
    if (before?.server !== server && listing.tools.length > 0) observe(server, listing);
    noteElsewhere(server, listing);
    const names = new Set<string>();
    const beyond = new Set<string>();
    const owner = ownerOf(server);
    for (const tool of listing.tools) {
      const pending = verdictOf(server, tool.name, definitions.tool(tool));
      if (pending?.withheld !== true) continue;
      names.add(tool.name);
      if (!isKept(server, tool.name, memory.get(owner, tool.name))) beyond.add(tool.name);
    }
    const known = { server, version, withheld: names, beyond, notedAtMs: now() };
    listings.set(listing, known);
    return known;
  };

  const introduced = (server: ServerConfiguration, text: string): Offered => {
    const offered = definitions.instructions(text);
    const before = introductions.get(server.name);
    if (before?.server !== server || before.hash !== offered.hash) {
      introductions.set(server.name, { server, hash: offered.hash });
      const isFirst = memory.get(ownerOf(server), null) === undefined;
      const found = look(server, null, offered, isFirst);
      say(server, found === undefined ? [] : [found]);
    }
    return offered;
  };

  const pendingOf = (
    server: ServerConfiguration,
    listing: Listing,
    instructions: string | undefined,
  ): PendingChange[] => {
    judged(server, listing);
    const said = instructions === undefined ? undefined : introduced(server, instructions);
    const found = new Map<string, PendingChange>();
    for (const tool of listing.tools) {
      const pending = verdictOf(server, tool.name, definitions.tool(tool));
      if (pending !== undefined && !isLeftOut(server.tools, tool.name)) {
        found.set(tool.name, pending);
      }
    }
    const ofServer = said && verdictOf(server, null, said);
    return ofServer === undefined ? [...found.values()] : [ofServer, ...found.values()];
  };

  const changesOf = (server: ServerConfiguration): PendingChange[] => {
    const upstream = pool?.upstreams.get(server.name);
    const common = upstream?.listing ?? emptyListing;
    const changes = pendingOf(server, common, upstream && saidBy(upstream));
    const tools = new Set(changes.map(({ tool }) => tool));
    const owner = ownerOf(server);
    for (const seen of elsewhere.of(owner)) {
      const { tool, offered } = seen;
      const pending = verdictOf(server, tool, offered);
      if (pending === undefined) elsewhere.remove(owner, seen);
      else if (!tools.has(tool) && !isLeftOut(server.tools, tool)) {
        tools.add(tool);
        changes.push(pending);
      }
    }
    return changes;
  };

  const configuredOwners = (): PinOwner[] => [...servers().values()].map(ownerOf);

  const lookAtAll = (): void => {
    elsewhere.keepOnly(configuredOwners());
    for (const name of introductions.keys()) if (!servers().has(name)) introductions.delete(name);
    for (const [name, upstream] of pool?.upstreams ?? []) {
      const server = servers().get(name);
      if (server === undefined || server.disabled) continue;
      judged(server, upstream.listing);
      const said = saidBy(upstream);
      if (said !== undefined) introduced(server, said);
    }
  };

  return {
    withheld: (server, listing) => judged(server, listing).withheld,
    beyond: (server, listing) => judged(server, listing).beyond,
    withholdsInstructions: (server, instructions) =>
      verdictOf(server, null, introduced(server, instructions))?.withheld === true,
    get version() {
      return version;
    },
    onChange(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    watch(watched) {
      pool = watched;
      watched.onChange(lookAtAll);
      lookAtAll();
    },
    mayHave(server, tool) {
      const upstream = pool?.upstreams.get(server.name);
      if (upstream === undefined || saidBy(upstream) === undefined) return true;
      return memory.hasName(ownerOf(server), tool) || listedBy(upstream).includes(tool);
    },
    namesOf(server) {
      const upstream = pool?.upstreams.get(server.name);
      return upstream === undefined ? [] : listedBy(upstream);
    },
    changesOf,
    approve: createApprovePins({
      memory,
      writer,
      ownerOf,
      changesOf,
      approved: changed,
      now,
      newId,
    }),
    async close() {
      clearImmediate(telling);
      listeners.clear();
      await writer.close();
    },
  };
}

function listedBy({ listing }: Pick<Upstream, "listing">): string[] {
  return listing.tools.map(({ name }) => name);
}

/** The server's own instructions; undefined until it was ready once. */
function saidBy({
  state,
  instructions,
}: Pick<Upstream, "state" | "instructions">): string | undefined {
  if (instructions !== undefined) return instructions;
  return state.kind === "ready" || state.kind === "idle" ? "" : undefined;
}
