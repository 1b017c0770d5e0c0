import { escapeForTerminal, oneLine } from "../core/terminal-text.ts";

/** Longer than any name people give, and short enough for a thousand of them on one page; characters. */
const mostCharacters = 128;

/**
 * A server's or tool's name as the value of a label. The exposition format escapes what is special to it, by
 * the library; here goes what would be special to a terminal that shows the page.
 */
export function labelText(name: string): string {
  return escapeForTerminal(oneLine(name, mostCharacters));
}

/** What stands where a value is outside of those that are told apart (OpenTelemetry's word for it). */
export const otherLabel = "_OTHER";
