import type { Change, ChangeRow } from "../core/change.ts";
import { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import type { Logger } from "../core/logger.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { Principal } from "../core/principal.ts";
import { sameJson } from "../core/same-json.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import type { Storage, StorageTransaction } from "../core/storage.ts";
import { oneLine } from "../core/terminal-text.ts";

/** The part of the change history that tells of the servers in the configuration file. */
export interface ServerHistory {
  /**
   * Records how the entries of the file, as they are written, differ from those recorded last. Never rejects: what
   * could not be written is said in the log, and the next call catches up.
   */
  record(entries: ReadonlyMap<string, JsonObject>): Promise<void>;
  /**
   * Writes the entry that a server had last before the present one, or before it was deleted, back into the file.
   * Restored twice, it goes back and forth.
   * @param mayRestore answers who acts, or throws where that one may not; asked when the turn has come, and again right
   *   before the entry is written
   *
   * An entry whose secrets are not kept any more is written disabled: with it as it was, the file would not be loaded.
   * @returns the row whose `before` is written
   * @throws AppError `not_found` when there is no earlier entry; `store_unavailable`; whatever `writeEntry` and
   *   `mayRestore` throw
   */
  restore(name: string, mayRestore: () => Principal): Promise<RestoredEntry>;
}

/** What `restore` has done. */
export interface RestoredEntry {
  row: ChangeRow;
  /** The secrets that the entry refers to and that are not there: it is disabled until they are. */
  missingSecrets: readonly string[];
  /** Of the file's text with the entry in it, as the configuration's state tells it. */
  fingerprint: string | undefined;
}

export interface ServerHistoryOptions {
  storage: Storage;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  logger: Logger;
  /** Puts an entry into the configuration file and gives the fingerprint of its text; its watcher puts it into effect. */
  writeEntry: (name: string, entry: JsonObject) => Promise<string | undefined>;
  /** Which secrets an entry refers to and nobody keeps. */
  missingSecrets?: ((entry: JsonObject) => Promise<readonly string[]>) | undefined;
}

/** A change that comes with the file within this time after `restore` wrote it is that person's. */
const ownWriteMs = 60_000;
const rowsAtOnce = 100;

/** What `restore` wrote and `record` has not seen yet. */
interface OwnWrite {
  entry: JsonObject;
  userId: string;
  untilMs: number;
}

/** @param options.writeEntry rejects where nothing was written */
export function createServerHistory({
  storage,
  now,
  newId,
  logger,
  writeEntry,
  missingSecrets: findMissing = () => Promise.resolve([]),
}: ServerHistoryOptions): ServerHistory {
  const ownWrites = new Map<string, OwnWrite>();
  let last: Promise<unknown> = Promise.resolve();
  /** One after the other: each compares with what the one before recorded or wrote. */
  const inTurn = <Result>(work: () => Promise<Result>): Promise<Result> => {
    const result = last.then(work);
    last = result.catch(() => undefined);
    return result;
  };

  const ownWriteOf = (name: string, after: JsonObject | null): OwnWrite | undefined => {
    const own = ownWrites.get(name);
    return own !== undefined && after !== null && sameJson(own.entry, after) ? own : undefined;
  };

  const toChange = (name: string, before: JsonObject | null, after: JsonObject | null): Change => {
    const own = ownWriteOf(name, after);
    return {
      id: newId(),
      timeMs: now(),
      actor: own === undefined ? "file" : "user",
      userId: own?.userId ?? null,
      organizationId: null,
      entity: "server",
      entityId: name,
      action: actionOf(before, after, own !== undefined),
      before,
      after,
    };
  };

  const append = async (entries: ReadonlyMap<string, JsonObject>): Promise<void> => {
    for (const [name, { untilMs }] of ownWrites) if (untilMs < now()) ownWrites.delete(name);
    const changes = await storage.withPrincipal(systemPrincipal, async (tx) => {
      const recorded = new Map<string, JsonObject | null>();
      for (const row of await tx.changes.latestOfServers()) recorded.set(row.entityId, row.after);
      const gone = [...recorded.keys()].filter((name) => !entries.has(name)).toSorted();
      const found = [...gone, ...entries.keys()].flatMap((name) => {
        const before = recorded.get(name) ?? null;
        const after = entries.get(name) ?? null;
        return sameJson(before, after) ? [] : [toChange(name, before, after)];
      });
      if (found.length > 0) await tx.changes.append(found);
      return found;
    });
    for (const { entityId, after } of changes) {
      if (ownWriteOf(entityId, after) !== undefined) ownWrites.delete(entityId);
    }
  };

  return {
    record: (entries) =>
      inTurn(() => append(entries)).catch((error: unknown) => {
        logger.error("Changes of servers are not in the history yet; the next record catches up", {
          reason: oneLine(error instanceof Error ? error.message : String(error)),
        });
      }),

    restore: (name, mayRestore) =>
      inTurn(async () => {
        const found = await storage.withPrincipal(mayRestore(), (tx) => earlierEntry(tx, name));
        if (found === undefined) {
          throw new AppError(
            "not_found",
            `The history has no earlier entry of a server ${JSON.stringify(oneLine(name, 80))}`,
            { hint: `agent history --entity server --id ${quoteForShell(name)}` },
          );
        }
        const { row } = found;
        const missingSecrets = await findMissing(found.entry);
        const entry =
          missingSecrets.length === 0 ? found.entry : { ...found.entry, disabled: true };
        const { userId } = mayRestore();
        const fingerprint = await writeEntry(name, entry);
        ownWrites.set(name, { entry, userId, untilMs: now() + ownWriteMs });
        return { row, missingSecrets, fingerprint };
      }),
  };
}

function actionOf(
  before: JsonObject | null,
  after: JsonObject | null,
  restored: boolean,
): Change["action"] {
  if (after === null) return "deleted";
  if (before !== null) return "changed";
  return restored ? "restored" : "created";
}

/** The newest row with an entry before it that is not the present one. */
async function earlierEntry(
  { changes }: StorageTransaction,
  name: string,
): Promise<{ row: ChangeRow; entry: JsonObject } | undefined> {
  let present: JsonObject | null | undefined;
  let beyond: number | undefined;
  for (;;) {
    const rows = await changes.list({
      entity: "server",
      entityId: name,
      before: beyond,
      limit: rowsAtOnce,
    });
    for (const row of rows) {
      if (present === undefined) present = row.after;
      if (row.before !== null && !sameJson(row.before, present)) return { row, entry: row.before };
    }
    if (rows.length < rowsAtOnce) return undefined;
    beyond = rows.at(-1)?.sequence;
  }
}
