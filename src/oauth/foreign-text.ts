import { escapeForTerminal, oneLine } from "../core/terminal-text.ts";

/**
 * Foreign text as part of a message of ours: one short line, without a character that acts or hides, wherever the
 * message goes. Messages are ours, so no edge escapes them where it does not print to a terminal.
 */
export function sayForeign(text: string, limit = 200): string {
  // Cut first as well: nobody escapes a megabyte for two hundred characters.
  return oneLine(escapeForTerminal(oneLine(text, limit)), limit);
}

/** The same in quotation marks. */
export function quoteForeign(text: string): string {
  return `"${sayForeign(text)}"`;
}
