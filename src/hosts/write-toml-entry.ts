import { isDeepStrictEqual } from "node:util";
import { parse } from "smol-toml";
import { isJsonObject, parseJson } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { oneLine } from "../core/terminal-text.ts";
import { lineEndOf, pastMark, setupProblem } from "./setup-editor.ts";
import type { SetupEditor } from "./setup-editor.ts";
import { startsOurProxy, strangeMembers } from "./setup-entry.ts";
import type { SetupCommand } from "./setup-entry.ts";

type Table = Record<string, unknown>;

const containerName = "mcp_servers";

/**
 * Our table in Codex's TOML file, edited in its text: only the lines of `[mcp_servers.<name>]` and of the tables below
 * it are touched. The file is parsed before and after, and where anything else would differ it is refused.
 * @param path for messages
 * @param name a bare key
 */
export function tomlEntryEditor(path: string, name: string, entry: SetupCommand): SetupEditor {
  const read = (text: string): Table => readTable(path, text);
  const serversIn = (table: Table): Table | undefined => {
    const servers = table[containerName];
    if (servers === undefined) return undefined;
    if (isTable(servers)) return servers;
    throw setupProblem(path, `has something else than a table at ${containerName}`);
  };
  const existing = (text: string): unknown => {
    const servers = serversIn(read(text)) ?? {};
    return Object.hasOwn(servers, name) ? servers[name] : undefined;
  };
  const checked = (edited: string, wanted: Table): string => {
    const result = parsed(edited);
    if ("table" in result && isSame(withoutEmpty(result.table), withoutEmpty(wanted))) {
      return edited;
    }
    throw setupProblem(path, `cannot be edited at ${containerName}.${name}`, "edit it by hand");
  };
  return {
    find(text) {
      const found = existing(text);
      if (found === undefined) return "none";
      const { command, args } = isTable(found) ? found : {};
      const isCommand = typeof command === "string" && Array.isArray(args) && args.every(isText);
      return isCommand && startsOurProxy({ command, args }) ? "ours" : "foreign";
    },
    strange(text) {
      const found = existing(text);
      return isTable(found) ? strangeMembers(jsonOf(found)) : {};
    },
    put(text) {
      const before = read(text);
      const found = existing(text);
      const wanted = { ...(isTable(found) ? found : {}), ...entry };
      if (isSame(found, wanted)) return text;
      const edited = found === undefined ? appended(text, name, entry) : updated(text, name, entry);
      const servers = { ...serversIn(before), [name]: wanted };
      return checked(edited, { ...before, [containerName]: servers });
    },
    remove(text) {
      const before = read(text);
      const { [name]: _entry, ...left } = serversIn(before) ?? {};
      return checked(withoutTables(text, name), { ...before, [containerName]: left });
    },
    lacksContainer: (text) => serversIn(read(text)) === undefined,
    isEmpty: (text) => pastMark(text)[1].trim() === "",
  };
}

function isTable(value: unknown): value is Table {
  const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
  return isObject && !(value instanceof Date);
}

/** Dates and large numbers become texts. */
function jsonOf(table: Table): JsonObject {
  const text = JSON.stringify(table, (_key, value: unknown) =>
    typeof value === "bigint" ? String(value) : value,
  );
  const value = parseJson(text);
  return isJsonObject(value) ? value : {};
}

function isSame(one: unknown, other: unknown): boolean {
  return isDeepStrictEqual(plain(one), plain(other));
}

/** The same with one prototype for all tables: the parser's have none. */
function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (!isTable(value)) return value;
  return new Map(Object.entries(value).map(([key, each]) => [key, plain(each)]));
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

/** A table without a key is there only as long as something is in it. */
function withoutEmpty(table: Table): Table {
  const { [containerName]: servers, ...others } = table;
  return isTable(servers) && Object.keys(servers).length > 0 ? table : others;
}

function parsed(text: string): { table: Table } | { reason: string } {
  try {
    return { table: parse(pastMark(text)[1]) };
  } catch (error) {
    // Its first line says what is wrong; the others show the file.
    const [reason = ""] = error instanceof Error ? error.message.split("\n") : [];
    return { reason: oneLine(reason, 100) };
  }
}

function readTable(path: string, text: string): Table {
  const result = parsed(text);
  if ("table" in result) return result.table;
  throw setupProblem(path, `is not valid TOML: ${result.reason}`, "mend it by hand first");
}

/** A basic string: as in JSON, but for the one control character that JSON takes as it is. */
function written(text: string): string {
  return JSON.stringify(text).replaceAll("\u{7f}", String.raw`\u007f`);
}

function linesOf(entry: SetupCommand): string[] {
  return [`command = ${written(entry.command)}`, `args = [${entry.args.map(written).join(", ")}]`];
}

function appended(text: string, name: string, entry: SetupCommand): string {
  const end = lineEndOf(text);
  const lines = [`[${containerName}.${name}]`, ...linesOf(entry)];
  const table = lines.map((line) => `${line}${end}`).join("");
  const [mark, rest] = pastMark(text);
  if (rest === "") return `${mark}${table}`;
  return `${text}${rest.endsWith("\n") ? "" : end}${end}${table}`;
}

/** The lines of the table and of those below it, each from its header up to the next header, comments before that apart. */
function tablesOf(lines: readonly string[], name: string): { start: number; end: number }[] {
  const header = /^[ \t]*\[\[?[^\]=]+\]\]?[ \t]*(?:#.*)?\r?$/u;
  const own = new RegExp(
    String.raw`^[ \t]*\[\[?[ \t]*["']?${containerName}["']?[ \t]*\.[ \t]*["']?${name}["']?[ \t]*[\].]`,
    "u",
  );
  const inText = linesInText(lines);
  return lines.flatMap((line, start) => {
    if (inText.has(start) || !own.test(line)) return [];
    const isNext = (later: string, at: number): boolean =>
      at > start && !inText.has(at) && header.test(later);
    const next = lines.findIndex(isNext);
    let end = next === -1 ? lines.length : next;
    while (/^[ \t]*(?:#.*)?\r?$/u.test(lines[end - 1] ?? "-")) end -= 1;
    return [{ start, end }];
  });
}

/** The lines that a text of several lines goes on in: what looks like a header there is none. */
function linesInText(lines: readonly string[]): Set<number> {
  const found = new Set<number>();
  let open: string | undefined;
  for (const [at, line] of lines.entries()) {
    if (open !== undefined) found.add(at);
    for (const [quotes] of line.matchAll(/"""|'''/gu)) {
      if (open === undefined) open = quotes;
      else if (open === quotes) open = undefined;
    }
  }
  return found;
}

function updated(text: string, name: string, entry: SetupCommand): string {
  const lines = text.split("\n");
  const [table] = tablesOf(lines, name);
  const wanted = linesOf(entry);
  return lines
    .map((line, at) => {
      if (table === undefined || at <= table.start || at >= table.end) return line;
      const [, blanks = "", key = ""] = /^([ \t]*)(command|args)[ \t]*=/u.exec(line) ?? [];
      const ours = key === "" ? undefined : wanted.find((own) => own.startsWith(`${key} =`));
      return ours === undefined ? line : `${blanks}${ours}${line.endsWith("\r") ? "\r" : ""}`;
    })
    .join("\n");
}

function withoutTables(text: string, name: string): string {
  const lines = text.split("\n");
  for (const { start, end } of tablesOf(lines, name).toReversed()) {
    const isAfterBlank = start > 0 && /^[ \t]*\r?$/u.test(lines[start - 1] ?? "-");
    lines.splice(isAfterBlank ? start - 1 : start, end - start + (isAfterBlank ? 1 : 0));
  }
  return lines.join("\n");
}
