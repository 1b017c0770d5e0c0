import { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { quoteForShell } from "../core/shell-quote.ts";

/** What stands in a file under our name. */
export type FoundPart = "none" | "ours" | "foreign";

/** Our part in the text of one form of file. Each throws AppError `config_invalid` for a text it cannot edit. */
export interface SetupEditor {
  find(text: string): FoundPart;
  /** Of our part, what setup does not write, as it stands there; it must not pass for ours. */
  strange?(text: string): JsonObject;
  /** Whether what stands between our marks is what setup writes, in whatever version. */
  isWritten?(text: string): boolean;
  /** The text with our part as it is to be; only where there is none yet, or ours. */
  put(text: string): string;
  /** The text without our part; with `container` also without what holds it, where nothing else is left in that. */
  remove(text: string, container: boolean): string;
  /** Whether what holds our part is missing, so that `put` makes it. */
  lacksContainer(text: string): boolean;
  /** Whether a text says nothing any more. */
  isEmpty(text: string): boolean;
}

/** A file that is left as it is. */
export function setupProblem(path: string, reason: string, hint?: string): AppError {
  const message = `${quoteForShell(path)} ${reason}; nothing was changed`;
  return new AppError("config_invalid", message, { hint });
}

const mark = "\u{feff}";

/** A byte order mark stays before whatever is done with the rest. */
export function pastMark(text: string): [mark: string, rest: string] {
  return text.startsWith(mark) ? [mark, text.slice(1)] : ["", text];
}

/** The line end of a text, by its first. */
export function lineEndOf(text: string): "\n" | "\r\n" {
  return /^[^\n]*\r\n/u.test(text) ? "\r\n" : "\n";
}
