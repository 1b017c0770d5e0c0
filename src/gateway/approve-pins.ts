import type { ServerConfiguration } from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { Principal } from "../core/principal.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { quotedName } from "../core/terminal-text.ts";
import type { PendingChange, StoredPin } from "../core/tool-pin.ts";
import type { PinMemory, PinOwner } from "./pin-memory.ts";
import { approvalRow } from "./pin-news.ts";
import type { PinWriter } from "./pin-writer.ts";
import { sha256 } from "./pinned-definition.ts";

export interface Approval {
  /** Null: the server's instructions; undefined: everything of it. */
  tool?: string | null | undefined;
  /** Of the change; of everything `hashOfChanges`. */
  hash: string;
}

/**
 * Approves what is named and still is what it was when its hash was shown. What the server lists by then is judged by
 * what was approved.
 * @param may answers who acts, or throws where that one may not; asked when the turn has come
 * @throws AppError `usage`: nothing of that hash waits, or more names than are remembered; `store_unavailable`; nothing
 *   is approved then
 */
export type ApprovePins = (
  server: ServerConfiguration,
  what: Approval,
  may: () => Principal,
) => Promise<readonly PendingChange[]>;

export function createApprovePins({
  memory,
  writer,
  ownerOf,
  changesOf,
  approved,
  now,
  newId,
}: {
  memory: PinMemory;
  writer: PinWriter;
  ownerOf: (server: ServerConfiguration) => PinOwner;
  changesOf: (server: ServerConfiguration) => readonly PendingChange[];
  approved: () => void;
  now: () => number;
  newId: () => string;
}): ApprovePins {
  return async (server, { tool, hash }, may) => {
    const owner = ownerOf(server);
    const written = await writer.within(systemPrincipal, async (tx) => {
      const by = may();
      const chosen = changesOf(server).filter(
        (change) => tool === undefined || change.tool === tool,
      );
      const shown = tool === undefined ? hashOfChanges(chosen) : chosen[0]?.hash;
      if (chosen.length === 0 || shown !== hash) throw changedAgain(server.name, tool);
      const names = chosen.map((change) => change.tool);
      if (!memory.hasRoomFor(owner, names)) throw tooManyNames(server.name);
      const was = names.map((name) => memory.get(owner, name)?.hash);
      const timeMs = now();
      const pins = chosen.map((change): StoredPin => ({
        ...owner,
        tool: change.tool,
        hash: change.hash,
        definition: change.after,
        pinnedAtMs: timeMs,
        saidHashes: memory.get(owner, change.tool)?.saidHashes ?? [],
      }));
      await tx.toolPins.putAll(pins);
      const rows = chosen.map((change) => approvalRow(server, change, by.userId, timeMs));
      await tx.changes.append(rows.map((row) => Object.assign({ id: newId() }, row)));
      return { chosen, pins, was };
    });
    for (const [index, { tool: name, hash: is, ...pin }] of written.pins.entries()) {
      const present = memory.get(owner, name);
      // Something newer was taken meanwhile, which stays to be compared with.
      if (present?.hash !== written.was[index]) continue;
      const { definition, pinnedAtMs, saidHashes } = pin;
      memory.set(owner, name, { hash: is, definition, pinnedAtMs, saidHashes });
    }
    approved();
    return written.chosen;
  };
}

/** What names all of these changes, and no others. */
export function hashOfChanges(changes: readonly Pick<PendingChange, "tool" | "hash">[]): string {
  const named = changes.map(({ tool, hash }) => JSON.stringify([tool, hash]));
  return sha256(JSON.stringify(named.toSorted()));
}

function changedAgain(server: string, tool: string | null | undefined): AppError {
  const target = typeof tool === "string" ? `${server}/${tool}` : server;
  return new AppError(
    "usage",
    "What waits has changed again, or was approved; nothing was approved",
    {
      hint: `agent mcp approve ${quoteForShell(target)}`,
    },
  );
}

function tooManyNames(server: string): AppError {
  const message = `Server ${quotedName(server)} has had more tools than are remembered; nothing was approved`;
  return new AppError("usage", message, {
    hint: "Approve fewer, one by one; with other args or another url its pins start anew",
  });
}
