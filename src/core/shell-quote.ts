import { escapeForTerminal } from "./terminal-text.ts";

/** What sh, bash, zsh and fish all take literally when it stands outside quotes (and not first: `~`, `=`). */
const plain = /^[\w@%+:,./-][\w@%+:,./=-]*$/u;

/**
 * One word as it can be pasted into a POSIX shell: as it is when nothing in it is special, else in
 * single quotes. Control and invisible characters are shown escaped first: a name that holds them cannot
 * be pasted, and must not act on the terminal that shows it.
 */
export function quoteForShell(word: string): string {
  const visible = escapeForTerminal(word);
  return plain.test(visible) ? visible : `'${visible.replaceAll("'", String.raw`'\''`)}'`;
}
