import type { Change } from "../core/change.ts";
import type { Logger } from "../core/logger.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { Principal } from "../core/principal.ts";
import type { Storage, StorageTransaction } from "../core/storage.ts";
import { oneLine } from "../core/terminal-text.ts";
import type { PinMemory } from "./pin-memory.ts";

/** A row of the change history that has no id yet: it gets one at each attempt to write it. */
export type PinRow = Omit<Change, "id">;

/** Writes pins, and what is said of them, behind everybody's back: no list and no call waits for it. */
export interface PinWriter {
  /** Something changed; it is written soon, all in one transaction. What fails is tried again at the next change. */
  write(rows: readonly PinRow[]): void;
  /** Writes what waits, and then at once, in turn with the others. @throws what the storage and `work` throw; nothing is written then */
  within<T>(principal: Principal, work: (tx: StorageTransaction) => Promise<T>): Promise<T>;
  /** Writes what still waits. */
  close(): Promise<void>;
}

/** What a server changes comes together. */
const soonMs = 50;
/** Rows that wait for a storage which fails; beyond, the oldest go. */
const mostRows = 1_000;

export function createPinWriter({
  storage,
  memory,
  newId,
  logger,
}: {
  storage: Pick<Storage, "withPrincipal">;
  memory: PinMemory;
  newId: () => string;
  logger: Logger;
}): PinWriter {
  let rows: PinRow[] = [];
  let timer: NodeJS.Timeout | undefined;
  let isFailing = false;
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };

  const writeAll = async (): Promise<void> => {
    const removed = memory.takeRemoved();
    const pins = memory.takeChanged();
    const written = rows;
    rows = [];
    if (removed.length + pins.length + written.length === 0) return;
    try {
      await storage.withPrincipal(systemPrincipal, async (tx) => {
        await tx.toolPins.removeAll(removed);
        await tx.toolPins.putAll(pins);
        await tx.changes.append(written.map((row) => ({ id: newId(), ...row })));
      });
      isFailing = false;
    } catch (error) {
      memory.giveBack(removed, pins);
      rows = [...written, ...rows].slice(-mostRows);
      if (isFailing) return;
      isFailing = true;
      logger.error("What servers offer is not remembered yet; the next change tries again", {
        reason: oneLine(error instanceof Error ? error.message : String(error)),
      });
    }
  };
  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    return inTurn(writeAll);
  };

  return {
    write(more) {
      rows = [...rows, ...more].slice(-mostRows);
      timer ??= setTimeout(() => void flush(), soonMs).unref();
    },
    within: (principal, work) =>
      inTurn(async () => {
        // What came before stands before it in the history.
        await writeAll();
        return storage.withPrincipal(principal, work);
      }),
    close: flush,
  };
}
