import type { ChangeRow } from "../../client/administration-answers.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { sameJson } from "../../core/same-json.ts";
import { oneLine } from "../../core/terminal-text.ts";
import { cutToWidth, textWidth } from "../../core/text-width.ts";
import { shownSecond } from "../audit/audit-rows.ts";
import type { Io } from "../context.ts";
import { detailedTable, detailIndent } from "../render/detailed-table.ts";
import { fittingWidths } from "../render/fitting-table.ts";
import { inLine } from "../render/foreign-text.ts";

type Page = Pick<Io, "foreign" | "stdoutIsTerminal" | "columns">;

const head = ["TIME (UTC)", "ACTOR", "WHO", "WHAT", "ACTION"];
const whatColumn = head.indexOf("WHAT");
/** The time is never cut. */
const whole = [0];
/** No changes are cut shorter than this for the sake of an id. */
const leastChanges = 20;

/**
 * Changes for people: a table, and below each row what changed. An id that the table cuts, or has a name in place of,
 * stands there too, whole: it is there to be pasted.
 */
export function historyTable(rows: readonly ChangeRow[], io: Page): string {
  const cells = [head, ...rows.map((row) => cellsOf(row, io))];
  const widths = io.stdoutIsTerminal ? fittingWidths(cells, io.columns, whole) : [];
  const details = rows.map((row, index) => {
    const what = cells[index + 1]?.[whatColumn] ?? "";
    const isCut = textWidth(what) > (widths[whatColumn] ?? Infinity);
    const id = isCut || nameOf(row) !== undefined ? inLine(row.entity_id, io, 500) : "";
    return detailOf(id, changesOf(row), io);
  });
  return detailedTable(cells, details, io, whole);
}

function cellsOf(row: ChangeRow, io: Page): string[] {
  return [
    shownSecond(row.time),
    inLine(row.actor, io, 40),
    inLine(row.user_id ?? "-", io, 100),
    inLine(`${row.entity} ${nameOf(row) ?? row.entity_id}`, io, 200),
    inLine(row.action, io, 20),
  ];
}

/** What people call a token, whose id says nothing to them. */
function nameOf({ entity, before, after }: ChangeRow): string | undefined {
  if (entity !== "token") return undefined;
  const name = (after ?? before)?.["name"];
  return typeof name === "string" && name !== "" ? name : undefined;
}

function detailOf(id: string, changes: string, io: Page): string {
  const start = changes === "" || id === "" ? id : `${id}  `;
  const columns = io.stdoutIsTerminal ? io.columns - detailIndent.length : 2000;
  const width = Math.max(leastChanges, columns - textWidth(start));
  return start + cutToWidth(inLine(changes, io, width), width);
}

/** What the table says already. */
const told: ReadonlySet<string> = new Set(["id", "createdAt", "deletedAt", "revokedAt"]);

/** `role: "viewer" → "editor"`, or nothing where only the action tells. */
function changesOf(row: ChangeRow): string {
  const { before, after } = row;
  if (after === null) return "";
  // Both come with their secrets hidden.
  if (before !== null && row.action === "changed" && sameJson(before, after)) {
    return "(a hidden value changed)";
  }
  const isNamed = nameOf(row) !== undefined;
  const names = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after)])];
  const changes = names.flatMap((name) => {
    const [was, is] = [valueOf(before, name), valueOf(after, name)];
    if (told.has(name) || was === is) return [];
    if (before !== null) return [`${name}: ${shownChange(was, is)}`];
    return isNamed && name === "name" ? [] : [`${name}: ${short(is)}`];
  });
  return changes.join(", ");
}

function valueOf(entry: JsonObject | null, name: string): string {
  const value: Json | undefined =
    entry !== null && Object.hasOwn(entry, name) ? entry[name] : undefined;
  return value === undefined || value === null ? "none" : JSON.stringify(value);
}

/** Both values, from where they differ where their beginnings are alike. */
function shownChange(was: string, is: string): string {
  const [before, after] = [short(was), short(is)];
  if (before !== after) return `${before} → ${after}`;
  let same = 0;
  while (was[same] === is[same]) same += 1;
  const from = Math.max(0, same - 20);
  return `…${short(was.slice(from))} → …${short(is.slice(from))}`;
}

function short(json: string): string {
  return oneLine(json, 60);
}
