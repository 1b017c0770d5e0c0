import type { AuditRow } from "../../client/administration-answers.ts";
import { escapeJsonForTerminal } from "../../core/terminal-text.ts";
import { cutToWidth } from "../../core/text-width.ts";
import type { ResultFormat } from "../command.ts";
import type { Io } from "../context.ts";
import { fittingTable } from "../render/fitting-table.ts";
import { inLine } from "../render/foreign-text.ts";
import { padToWidth } from "../render/text-table.ts";
import { csvLine } from "./csv.ts";

/** Where rows go, as far as their form depends on it. A file is no terminal. */
export type Page = Pick<Io, "foreign" | "stdoutIsTerminal" | "columns">;

/** Writes rows one batch after the other, in a form that needs no end. */
export interface RowWriter {
  /** What stands before all rows; empty where nothing does. */
  readonly head: string;
  /** Each row as one line, with its end. */
  lines(rows: readonly AuditRow[]): string;
}

/** The columns of `mcp_audit_log`, under the contract's names. */
const columns = [
  "sequence",
  "id",
  "time",
  "tool_name",
  "params",
  "status",
  "duration_ms",
  "user_id",
  "organization_id",
  "project_id",
  "session_id",
  "client_name",
] as const satisfies readonly (keyof AuditRow)[];

/** @param format `json` is one object a line here, as `jsonl` */
export function createRowWriter(format: ResultFormat, page: Page): RowWriter {
  if (format === "csv") {
    return {
      head: page.foreign(csvLine(columns)),
      lines: (rows) =>
        page.foreign(
          rows
            .map((row) =>
              csvLine(
                columns.map((column) =>
                  column === "params" ? JSON.stringify(row.params) : row[column],
                ),
              ),
            )
            .join(""),
        ),
    };
  }
  if (format === "text") {
    return {
      head: tableLine(labels, page),
      lines: (rows) => rows.map((row) => tableLine(cellsOf(row, page), page)).join(""),
    };
  }
  return {
    head: "",
    lines: (rows) => {
      const text = rows.map((row) => `${JSON.stringify(rowJson(row))}\n`).join("");
      return page.stdoutIsTerminal ? escapeJsonForTerminal(text) : text;
    },
  };
}

/** A row under the contract's names and nothing else, nulls included. */
export function rowJson(row: AuditRow): Partial<AuditRow> {
  return Object.fromEntries(columns.map((column) => [column, row[column]]));
}

const labels = ["TIME (UTC)", "USER", "TOOL", "STATUS", "MS", "CLIENT"];

/** A table for people, whole. */
export function auditTable(rows: readonly AuditRow[], page: Page): string {
  return fittingTable([labels, ...rows.map((row) => cellsOf(row, page))], page, [0, 3, 4]);
}

/** Of time, status and milliseconds, and the gaps between all columns. */
const fixedWidth = 19 + 7 + 6 + 5 * 2;
/** None of user, tool and client has less than this. */
const narrowest = 8;

/** How wide columns are of which not all rows are known: what the terminal has left is for user, tool and client. */
function widthsFor(width: number): number[] {
  const left = width - fixedWidth;
  const user = Math.max(narrowest, Math.floor(left * 0.3));
  const client = Math.max(narrowest, Math.floor(left * 0.26));
  return [19, user, Math.max(narrowest, left - user - client), 7, 6, client];
}

/** One line of a table without an end. A terminal gets cells cut to their columns, a pipe gets them whole. */
function tableLine(cells: readonly string[], { stdoutIsTerminal, columns: width }: Page): string {
  const widths = widthsFor(width);
  const padded = cells.map((cell, column) => {
    const columnWidth = widths[column] ?? 0;
    return padToWidth(stdoutIsTerminal ? cutToWidth(cell, columnWidth) : cell, columnWidth);
  });
  return `${padded.join("  ").trimEnd()}\n`;
}

function cellsOf(row: AuditRow, page: Page): string[] {
  return [
    shownSecond(row.time),
    inLine(row.user_id ?? "-", page, 100),
    inLine(row.tool_name, page, 200),
    inLine(row.status, page, 20),
    String(Math.round(row.duration_ms)),
    inLine(row.client_name, page, 100),
  ];
}

/** A time for people, in UTC, to the second. */
export function shownSecond(time: string): string {
  return new Date(time).toISOString().slice(0, 19).replace("T", " ");
}
