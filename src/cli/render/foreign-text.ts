import { oneLine } from "../../core/terminal-text.ts";
import type { Io } from "../context.ts";
import { wrap } from "./wrap.ts";

type Escaping = Pick<Io, "foreign">;

/** What is said of a stdout that may be a terminal with so many columns. */
export type Page = Pick<Io, "foreign" | "stdoutIsTerminal" | "columns">;

/** Foreign text as part of a line of ours: one line, capped, escaped for this stdout. */
export function inLine(text: string, io: Escaping, limit = 300): string {
  return io.foreign(oneLine(text, limit));
}

/** No line is made narrower, however small the terminal is. */
const narrowest = 20;

/**
 * Foreign text of several lines, each indented and so never mistaken for a line of ours; broken between words where the
 * terminal would break it within one.
 */
export function indented(text: string, io: Page, indent: string): string {
  const width = Math.max(narrowest, io.columns - indent.length);
  return text
    .trim()
    .split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/u)
    .map((line) => io.foreign(line))
    .flatMap((line) => (io.stdoutIsTerminal ? wrapLine(line, width) : [line]))
    .map((line) => `${indent}${line}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}

/** What stands before the first word stands before each line of it. */
function wrapLine(line: string, width: number): string[] {
  const [before = ""] = /^\s*/u.exec(line) ?? [];
  if (before.length > width / 2) return [line];
  return wrap(line.slice(before.length), width - before.length).map((part) => before + part);
}
