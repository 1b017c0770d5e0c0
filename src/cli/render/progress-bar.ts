import type { Progress } from "../../core/mcp.ts";
import { oneLine } from "../../core/terminal-text.ts";

const barWidth = 20;

/**
 * A tool's progress as one line of at most `columns` characters: a bar where the total is known, else what
 * was reported. The message is the server's; who prints it escapes it.
 */
export function progressBar(
  what: string,
  { progress, total, message }: Progress,
  columns: number,
): string {
  const about = message === undefined ? "" : ` ${oneLine(message)}`;
  const line =
    total !== undefined && total > 0
      ? `${what} ${bar(progress / total)}${about}`
      : `${what} ${Number.isFinite(progress) ? progress : ""}${about}`;
  return oneLine(line, Math.max(20, columns - 3));
}

function bar(share: number): string {
  const part = Math.min(1, Math.max(0, Number.isFinite(share) ? share : 0));
  const full = Math.round(part * barWidth);
  return `[${"#".repeat(full)}${"-".repeat(barWidth - full)}] ${Math.round(part * 100)} %`;
}
