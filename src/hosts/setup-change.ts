import type { JsonObject } from "../core/json.ts";
import type { SetupEditor } from "./setup-editor.ts";
import { emptyRecord, stepFrom, textBefore } from "./setup-record.ts";
import type { SetupRecord } from "./setup-record.ts";

/** What becomes of a file. */
export type SetupChange =
  /** Something that is not ours stands where our part belongs. */
  | {
      kind: "foreign";
      /** What of an entry that starts our program setup does not write. */
      strange?: JsonObject;
      /** Our marks stand around words that setup does not write. */
      isMarked?: boolean;
    }
  /** It is as it is to be. */
  | { kind: "none" }
  /** `after` undefined: the file is removed, and of `folders` (the outermost first) those that are then empty. */
  | {
      kind: "change";
      after: string | undefined;
      record: SetupRecord | undefined;
      folders: readonly string[];
    };

/**
 * Puts our part into a text.
 * @param text undefined: there is no file
 * @param name under which it is remembered what to put back
 */
export function putChange(
  editor: SetupEditor,
  text: string | undefined,
  name: string,
  record: SetupRecord = emptyRecord,
): SetupChange {
  const before = text ?? "";
  const found = editor.find(before);
  const strange = found === "ours" ? (editor.strange?.(before) ?? {}) : {};
  if (found === "foreign") return { kind: "foreign" };
  if (Object.keys(strange).length > 0) return { kind: "foreign", strange };
  const after = editor.put(before);
  if (after === text) return { kind: "none" };
  if (found === "none") {
    const step = stepFrom(name, before, after);
    const madeFile = record.madeFile || text === undefined;
    const madeContainer = record.madeContainer || editor.lacksContainer(before);
    return change(after, { ...record, madeFile, madeContainer, steps: [...record.steps, step] });
  }
  // One of ours is brought up to date: what was there before it is what is put back.
  const original = textBefore(record.steps.at(-1), name, before);
  const steps =
    original === undefined ? [] : [...record.steps.slice(0, -1), stepFrom(name, original, after)];
  return change(after, { ...record, steps });
}

function change(after: string, record: SetupRecord): SetupChange {
  return { kind: "change", after, record, folders: [] };
}

/**
 * Takes our part out again: to the very text that was there before where the file is as setup left it, else just our
 * part and what held it alone.
 */
export function undoChange(
  editor: SetupEditor,
  text: string | undefined,
  name: string,
  record: SetupRecord = emptyRecord,
): SetupChange {
  const found = text === undefined ? "none" : editor.find(text);
  if (text === undefined || found === "none") return { kind: "none" };
  if (found === "foreign") return { kind: "foreign" };
  const original = textBefore(record.steps.at(-1), name, text);
  // Nobody remembers that setup wrote it: then it has to be what setup writes.
  if (record.steps.length === 0 && editor.isWritten?.(text) === false) {
    return { kind: "foreign", isMarked: true };
  }
  const steps = original === undefined ? [] : record.steps.slice(0, -1);
  const left = original ?? editor.remove(text, record.madeContainer);
  const isGone = editor.isEmpty(left) && (record.madeFile || left === "") && steps.length === 0;
  if (isGone && (record.madeFile || original === undefined)) {
    return { kind: "change", after: undefined, record: undefined, folders: record.madeFolders };
  }
  const isOriginal = original !== undefined && steps.length === 0;
  return {
    kind: "change",
    after: left,
    record: isOriginal ? undefined : { ...record, steps },
    folders: [],
  };
}
