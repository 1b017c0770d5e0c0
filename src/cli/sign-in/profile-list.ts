import type { Context } from "../context.ts";
import { shownLimits } from "../administration/token-scopes.ts";
import { inLine } from "../render/foreign-text.ts";
import { fitsWidth, textTable } from "../render/text-table.ts";
import { shownAge, shownTime } from "../render/shown-time.ts";
import type { ProfileRow } from "./profile-row.ts";

const labels = [
  "url",
  "name",
  "who",
  "token",
  "store",
  "source",
  "saved",
  "expires",
  "renews",
  "result",
];

/**
 * Profiles for people: one as lines of `label  value`, several as a table, or as such lines again where the
 * table is wider than the terminal.
 */
export function profileList(rows: readonly ProfileRow[], nowMs: number, io: Context["io"]): string {
  const cells = rows.map((row) => cellsOf(row, nowMs, io));
  if (cells.length > 1) {
    const table = textTable([labels.map((label) => label.toUpperCase()), ...cells]);
    if (!io.stdoutIsTerminal || fitsWidth(table, io.columns)) return table;
  }
  return cells
    .map((values) => textTable(labels.map((label, index) => [label, values[index] ?? ""])))
    .join("\n");
}

/** What the profile's token is good for, as the server says; undefined where it does not. */
function mayOf({ role, scopes: all = [] }: ProfileRow): string | undefined {
  const { scopes, opens, ...limits } = shownLimits({ role: role ?? null, scopes: all });
  if (!opens) return `${scopes} only`;
  if (scopes === "") return limits.role;
  return `${limits.role === undefined ? "" : `${limits.role} for `}${scopes} only`;
}

function cellsOf(row: ProfileRow, nowMs: number, io: Context["io"]): string[] {
  const place = row.organization === undefined ? "" : ` in ${row.organization}`;
  const may = mayOf(row);
  const who =
    may === undefined && place === "" ? row.who : `${row.who ?? "-"} (${may ?? "no role"}${place})`;
  return [
    row.url,
    row.name ?? "-",
    who === undefined ? "-" : inLine(who, io, 60),
    row.maskedToken ?? "-",
    row.store ?? "-",
    row.source ?? "-",
    row.createdAtMs === undefined ? "-" : `${shownAge(nowMs - row.createdAtMs)} ago`,
    row.expiresAtMs === undefined ? "-" : shownTime(row.expiresAtMs),
    row.renews === undefined ? "-" : row.renews ? "yes" : "no",
    row.result,
  ];
}
