import type { Context } from "../context.ts";
import { jsonText } from "../render/json-text.ts";

/** Says what became of one thing: the row itself with `--json`, else the sentence. */
export async function tellRow(
  row: object,
  sentence: string,
  { format }: { format: string },
  { io }: Context,
): Promise<void> {
  await io.out(format === "json" ? jsonText(row, io) : `${sentence}\n`);
}

/**
 * Shows a list: the rows with `--json`, else a table.
 * @param none said on stderr in place of an empty table
 */
export async function tellRows(
  rows: readonly object[],
  { none, table }: { none: string; table: () => string },
  { format }: { format: string },
  { io }: Context,
): Promise<void> {
  if (format === "json") await io.out(jsonText(rows, io));
  else if (rows.length === 0) io.note(none, { always: true });
  else await io.out(table());
}
