import { literalDollar } from "../../../config/references.ts";
import { isJsonObject, parseJson } from "../../../core/json.ts";
import type { Json, JsonObject } from "../../../core/json.ts";
import { previewServerEntry } from "../../../core/preview-server-entry.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import { escapeForTerminal, oneLine } from "../../../core/terminal-text.ts";
import { hostNames } from "../../../hosts/host-files.ts";
import type { NamedFile } from "../../../hosts/host-files.ts";
import { lackNotes } from "../lacks-here.ts";
import { shownServer } from "../server-target.ts";
import { visibleWord } from "../visible-word.ts";
import type { ImportCandidate, ImportPlan } from "./import-plan.ts";

/** More than is left of an entry by `tooLongToShow`. */
const longestLine = 8_000;
/** Longer than any command line that a person could look through. */
const longestTarget = 2_000;
const longestValues = 6_000;
const shownKeys = ["cwd", "env", "inheritEnv", "headers", "tools"] as const;

/** Whether a person could not be shown all of what an entry starts. */
export function tooLongToShow(entry: JsonObject): boolean {
  const shown = previewServerEntry(withoutLiteralDollars(entry));
  return (
    targetOf(shown).length > longestTarget ||
    shownKeys.some((key) => shownValue(shown[key] ?? "").length > longestValues)
  );
}

/** What an import would do, line by line, without a secret in it; the numbers are those that are chosen by. */
export function shownPlan({ candidates, skipped }: ImportPlan, file: string): string[] {
  const lines = candidates.flatMap((candidate, index) =>
    shownCandidate(candidate, index + 1, file),
  );
  if (candidates.length > 0) {
    const servers = candidates.length === 1 ? "1 server" : `${candidates.length} servers`;
    lines.unshift(`${servers} for ${quoteForShell(file)}:`);
  }
  for (const { name, reason, from } of skipped) {
    lines.push(line(`Skipped ${quoteForShell(name)} of ${shownFile(from)}: ${reason}`));
  }
  return lines;
}

function shownCandidate(candidate: ImportCandidate, number: number, file: string): string[] {
  const { name, foundAs, entry, notes, lacks, from, replaces } = candidate;
  const asFound = withoutLiteralDollars(entry);
  const { type, state } = shownServer(name, asFound);
  const more: string[] = [`from ${from.map(shownFile).join(", ")}`];
  if (replaces) more.push(`replaces the server ${quoteForShell(name)} of ${quoteForShell(file)}`);
  else if (name !== foundAs) {
    more.push(`as ${quoteForShell(name)}: another server is called ${quoteForShell(foundAs)}`);
  }
  const shown = previewServerEntry(asFound);
  for (const key of shownKeys) {
    const value = shown[key];
    if (value !== undefined) more.push(`${key}: ${shownValue(value)}`);
  }
  if (state === "off" && lacks.length === 0) more.push("disabled where it was found, and stays so");
  more.push(...notes, ...lackNotes(name, lacks));
  const kind = type === "stdio" ? "" : ` (${type ?? ""})`;
  return [
    line(`${String(number).padStart(3)}. ${quoteForShell(name)}${kind}  ${targetOf(shown)}`),
    ...more.map((text) => line(`       ${text}`)),
  ];
}

/** As the program will see it. */
function withoutLiteralDollars(entry: JsonObject): JsonObject {
  const text = JSON.stringify(entry).replaceAll(
    JSON.stringify(literalDollar).slice(1, -1),
    () => "$",
  );
  const value = parseJson(text);
  return isJsonObject(value) ? value : entry;
}

function targetOf({ command, args, url }: JsonObject): string {
  if (typeof command !== "string") return typeof url === "string" ? visibleWord(url) : "";
  const words = [command, ...(Array.isArray(args) ? args : [])];
  return words
    .map((word) => visibleWord(typeof word === "string" ? word : JSON.stringify(word)))
    .join(" ");
}

function shownValue(value: Json): string {
  if (typeof value === "string") return visibleWord(value);
  if (Array.isArray(value)) return value.map(shownValue).join(", ");
  if (!isJsonObject(value)) return String(value);
  return Object.entries(value)
    .map(([key, inner]) => `${key}=${shownValue(inner)}`)
    .join(" ");
}

/** `Claude Desktop (/home/ada/.config/Claude/claude_desktop_config.json)` */
export function shownFile({ host, path }: NamedFile): string {
  return host === undefined ? quoteForShell(path) : `${hostNames[host]} (${quoteForShell(path)})`;
}

/** One line of it, with its indentation. */
function line(text: string): string {
  const indent = /^ */u.exec(text)?.[0] ?? "";
  // Blanks within quotes are a part of what they show.
  const shown = escapeForTerminal(text.trim());
  return `${indent}${shown.length <= longestLine ? shown : oneLine(shown, longestLine)}`;
}
