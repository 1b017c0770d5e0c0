import { oneLine } from "../../core/terminal-text.ts";
import type { Io } from "../context.ts";

type Escaping = Pick<Io, "foreign">;

/** Foreign text as part of a line of ours: one line, capped, escaped for this stdout. */
export function inLine(text: string, io: Escaping, limit = 300): string {
  return io.foreign(oneLine(text, limit));
}

/** Foreign text of several lines, each indented and so never mistaken for a line of ours. */
export function indented(text: string, io: Escaping, indent: string): string {
  return text
    .trim()
    .split(/\r\n|[\n\r\v\f\u0085\u2028\u2029]/u)
    .map((line) => `${indent}${io.foreign(line)}`.trimEnd())
    .map((line) => `${line}\n`)
    .join("");
}
