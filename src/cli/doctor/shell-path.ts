import { sep } from "node:path";
import { quoteForShell } from "../../core/shell-quote.ts";

/** A path for a shell, with `~` in place of the home directory: what is pasted names nobody, and works. */
export function shellPath(path: string, home: string): string {
  if (home === "" || home === sep) return quoteForShell(path);
  if (path === home) return "~";
  const below = home.endsWith(sep) ? home : home + sep;
  return path.startsWith(below)
    ? `~/${quoteForShell(path.slice(below.length))}`
    : quoteForShell(path);
}
