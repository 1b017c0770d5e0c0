import type { JsonObject } from "./json.ts";

/** What a model is shown of a tool; people are shown it first, before they approve it. */
export const shownMembers = [
  "name",
  "title",
  "description",
  "inputSchema",
  "outputSchema",
  "annotations",
] as const;

/** For people and programs alone; everything else that a tool has is pinned, known or not. */
export const unpinnedMembers: readonly string[] = ["_meta", "icons"];

/**
 * What a server offered when it was last approved, or first seen: of a tool all but its
 * `unpinnedMembers`; of the server what it says of itself. Who changes that later may want something else of a model than
 * what people agreed to.
 */
export interface ToolPin {
  server: string;
  /** The server's own name of the tool; null: the server's instructions. */
  tool: string | null;
  /** SHA-256 in hex over the canonical JSON (RFC 8785) of `definition`. */
  hash: string;
  /** Those members of the tool that are pinned; of instructions `{instructions}`. */
  definition: JsonObject;
  /** Milliseconds since the epoch. */
  pinnedAtMs: number;
}

/** Something that is not as it was pinned, and waits for an approval. */
export interface PendingChange {
  server: string;
  tool: string | null;
  /** `new`: the server was known, and this tool of it was not. */
  kind: "changed" | "new";
  /** As `ToolPin.hash`, of what is there now: what an approval names. */
  hash: string;
  before: JsonObject | null;
  after: JsonObject;
  /** A tool that only read, and now changes things (`core/tool-access.ts`). */
  becameWrite: boolean;
  /** Whether it is kept from everybody until it is approved. */
  withheld: boolean;
}

/** A pin as it is stored. */
export interface StoredPin extends Omit<ToolPin, "hash" | "definition"> {
  /** What the server is, as a hash: another one under the same name has pins of its own. */
  identity: string;
  /** Null: it was seen, and never approved. */
  hash: string | null;
  /** Null with `hash`. */
  definition: JsonObject | null;
  /** Hashes of changes that were said, so that each is said once; the last at the end. */
  saidHashes: readonly string[];
}
