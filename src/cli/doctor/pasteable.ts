import { replacePatterns } from "../../core/credential-forms.ts";
import { hideTelling } from "../../core/hide-literals.ts";
import { escapeForTerminal, oneLine } from "../../core/terminal-text.ts";

const longestLine = 500;
const email = /([\p{L}\p{N}])[\p{L}\p{N}._%+-]*@(?=[\p{L}\p{N}-]+\.[\p{L}\p{N}.-]*[\p{L}\p{N}])/gu;

/**
 * A message that can be shown to anybody: no credential by its form or the name before it, no email, `~` for the home
 * directory; of one line, whatever a server put into it.
 */
export function pasteable(message: string, home: string): string {
  const line = escapeForTerminal(oneLine(message, longestLine));
  const placed = home.length > 1 ? line.replaceAll(home, "~") : line;
  return replacePatterns(hideTelling(placed)).replaceAll(email, "$1***@");
}
