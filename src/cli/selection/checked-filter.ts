import { AppError } from "../../core/errors.ts";
import { parseTagFilter, TagFilterFault } from "../../core/tag-filter.ts";
import type { TagFilter } from "../../core/tag-filter.ts";
import { escapeForTerminal } from "../../core/terminal-text.ts";

// Loaded only where a filter is given.

/** Of a long filter, what is shown before the place. */
const mostBefore = 60;
const mostAfter = 20;

/** @throws AppError `usage`, whose hint has the filter and below it a caret at the place */
export function checkedFilter(filter: string): TagFilter {
  try {
    return parseTagFilter(filter);
  } catch (error) {
    if (!(error instanceof TagFilterFault)) throw error;
    const { message, hint = "", column } = error;
    throw new AppError("usage", message, {
      hint: [hint, ...markedPlace(filter, column)].join("\n"),
      cause: error,
    });
  }
}

/** @param column of its characters, counted from 1 */
function markedPlace(filter: string, column: number): [line: string, caret: string] {
  const characters = Array.from(filter.replace(/\s/gu, " "));
  const from = Math.max(0, column - 1 - mostBefore);
  const before = (from > 0 ? "…" : "") + shown(characters.slice(from, column - 1));
  const end = column - 1 + mostAfter;
  const after = shown(characters.slice(column - 1, end)) + (end < characters.length ? "…" : "");
  return [`  ${before}${after}`, `  ${" ".repeat(Array.from(before).length)}^`];
}

function shown(characters: readonly string[]): string {
  return escapeForTerminal(characters.join(""));
}
