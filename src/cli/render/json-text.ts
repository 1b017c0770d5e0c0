import { escapeJsonForTerminal } from "../../core/terminal-text.ts";
import type { Io } from "../context.ts";

/** A value as indented JSON with its line end; on a terminal with nothing in it that the terminal acts on. */
export function jsonText(value: unknown, io: Pick<Io, "stdoutIsTerminal">): string {
  const json = JSON.stringify(value, null, 2);
  return `${io.stdoutIsTerminal ? escapeJsonForTerminal(json) : json}\n`;
}
