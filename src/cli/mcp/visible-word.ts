import { quoteForShell } from "../../core/shell-quote.ts";

/** Blanks that look like the one of the keyboard, or like nothing. */
const otherBlank = /[^\S \t\r\n]|\u{2800}|\u{3164}|\u{ffa0}|\u{115f}|\u{1160}/gu;

/** A word of a command line so that its own blanks are told from those between words. References stay readable. */
export function visibleWord(word: string): string {
  const visible = word.replaceAll(
    otherBlank,
    (blank) => String.raw`\u` + (blank.codePointAt(0) ?? 0).toString(16).padStart(4, "0"),
  );
  return /^[\w@%+:,./=${}[\]-]+$/u.test(visible) ? visible : quoteForShell(visible);
}
