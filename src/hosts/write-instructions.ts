import { instructionMark, isInstructionText } from "./instruction-file.ts";
import { lineEndOf, pastMark, setupProblem } from "./setup-editor.ts";
import type { SetupEditor } from "./setup-editor.ts";

const begin = "<!-- onedoor:begin -->";
const end = "<!-- onedoor:end -->";

/**
 * Our words as a marked block in a text of the user's, at its end where there is none yet.
 * @param path for messages
 */
export function blockEditor(path: string, words: string): SetupEditor {
  const rangeIn = (text: string): { start: number; stop: number } | undefined => {
    const start = text.indexOf(begin);
    const stop = text.indexOf(end);
    if (start === -1 && stop === -1) return undefined;
    const isOnce = start === text.lastIndexOf(begin) && stop === text.lastIndexOf(end);
    if (start !== -1 && stop > start && isOnce) return { start, stop: stop + end.length };
    const reason = `has not exactly one ${begin} and one ${end} behind it`;
    throw setupProblem(path, reason, "take out what is left of it by hand");
  };
  const block = (lineEnd: string): string =>
    `${begin}\n${words.trimEnd()}\n${end}`.replaceAll("\n", lineEnd);
  return {
    find: (text) => (rangeIn(text) === undefined ? "none" : "ours"),
    isWritten(text) {
      const range = rangeIn(text);
      if (range === undefined) return false;
      return isInstructionText(text.slice(range.start + begin.length, range.stop - end.length));
    },
    put(text) {
      const lineEnd = lineEndOf(text);
      const range = rangeIn(text);
      if (range !== undefined) {
        return text.slice(0, range.start) + block(lineEnd) + text.slice(range.stop);
      }
      const [mark, rest] = pastMark(text);
      if (rest === "") return `${mark}${block(lineEnd)}${lineEnd}`;
      return `${text}${rest.endsWith("\n") ? "" : lineEnd}${lineEnd}${block(lineEnd)}${lineEnd}`;
    },
    remove(text) {
      const range = rangeIn(text);
      if (range === undefined) return text;
      const before = text.slice(0, range.start).replace(/(\r?\n)\r?\n$/u, "$1");
      return before + text.slice(range.stop).replace(/^\r?\n/u, "");
    },
    lacksContainer: () => false,
    isEmpty: (text) => pastMark(text)[1].trim() === "",
  };
}

/** A file that is ours as a whole, by the mark in it. */
export function documentEditor(content: string): SetupEditor {
  return {
    find(text) {
      if (text.trim() === "") return "none";
      return text.includes(instructionMark) ? "ours" : "foreign";
    },
    isWritten(text) {
      const head = content.slice(0, content.indexOf(instructionMark));
      const plain = pastMark(text)[1].replaceAll("\r\n", "\n");
      return plain.startsWith(head) && isInstructionText(plain.slice(head.length));
    },
    put: () => content,
    remove: () => "",
    lacksContainer: () => false,
    isEmpty: (text) => text.trim() === "",
  };
}
