import type { Json, JsonObject } from "../../core/json.ts";
import { sameJson } from "../../core/same-json.ts";
import { omittedMember } from "../../core/pin-definition.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { escapeForTerminal } from "../../core/terminal-text.ts";
import { shownMembers } from "../../core/tool-pin.ts";
import type { PendingChange } from "../../core/tool-pin.ts";
import type { DiffLine } from "./line-diff.ts";

/** What is shown of a change; `--json` has all of it. */
type Change = Omit<PendingChange, "server" | "hash">;

/** What is there now, and is not in the text: nobody may be asked to approve that. */
interface NotShown {
  lines: number;
  characters: number;
}

export interface PendingChangesPage {
  text: string;
  /** In words, `3 lines`; undefined: the text has all that is there now. */
  notShown: string | undefined;
}

/** Lines of what is the same before and after what is not. */
const context = 2;
/** Lines of one change; what is there now comes first, and what was has the rest. */
const mostLines = 800;
/** A line of a foreign text may be a book, */
const longestLine = 2_000;
/** and a name, too. */
const longestName = 200;

/**
 * What a server offers that it did not offer before, for people: what matters most first, and below it each part that
 * changed, line by line, as `-` what was and `+` what is there now. The definitions are foreign; every line of them
 * stands behind such a sign, and what cannot be seen is escaped wherever it is printed.
 */
export async function pendingChangesPage(
  server: string,
  changes: readonly Change[],
  { all = false }: { all?: boolean } = {},
): Promise<PendingChangesPage> {
  if (changes.length === 0) return { text: "", notShown: undefined };
  const { lineDiff } = await import("./line-diff.ts");
  const notShown: NotShown = { lines: 0, characters: 0 };
  const text = changes
    .map((change) => changeText(server, change, lineDiff, { all, notShown }))
    .join("\n");
  return { text, notShown: wordsOf(notShown) };
}

/** For a page that asks nothing. */
export async function pendingChangesText(
  server: string,
  changes: readonly Change[],
): Promise<string> {
  return (await pendingChangesPage(server, changes)).text;
}

/** `changed, withheld`, for a list. */
export function changeWords({ kind, becameWrite, withheld }: Change): string {
  return [kind, ...(becameWrite ? ["reads → writes"] : []), ...(withheld ? ["withheld"] : [])].join(
    ", ",
  );
}

/** Of the instructions the server's name; quoted for the shell, and so for a terminal. */
export function changeTarget(server: string, { tool }: Pick<Change, "tool">): string {
  return tool === null
    ? `${quoteForShell(server)} (instructions)`
    : quoteForShell(`${server}/${tool}`);
}

/** What people should read first. */
const firstMembers = ["annotations", "instructions"];

type Differ = (before: string, after: string) => DiffLine[];

interface Showing {
  /** Nothing is cut. */
  all: boolean;
  /** Counted here. */
  notShown: NotShown;
}

interface MemberDifference {
  member: string;
  lines: (DiffLine | string)[];
}

function changeText(server: string, change: Change, differ: Differ, showing: Showing): string {
  const { kind, before, after, becameWrite, withheld } = change;
  const state = withheld ? `${kind}, withheld until it is approved` : `${kind}, offered`;
  const lines = [`${changeTarget(server, change)}: ${state}`];
  if (becameWrite) lines.push("  reads → writes");
  lines.push(...omission("before,", before), ...omission("now", after));
  if (!showing.all) showing.notShown.characters += omittedIn(after) ?? 0;
  const differences: MemberDifference[] = [];
  for (const member of membersOf(before, after)) {
    const [was, is] = [valueOf(before, member), valueOf(after, member)];
    if (!sameJson(was, is)) {
      differences.push({ member, lines: nearChanges(differ(textOf(was), textOf(is))) });
    }
  }
  return `${[...lines, ...shownDifferences(differences, showing)].join("\n")}\n`;
}

/** Of what is there now the first lines, and of everything else what there is room for then. */
function shownDifferences(
  differences: readonly MemberDifference[],
  { all, notShown }: Showing,
): string[] {
  const added = differences.reduce((sum, { lines }) => sum + lines.filter(isNew).length, 0);
  let roomForNew = all ? Infinity : mostLines;
  let roomForRest = all ? Infinity : Math.max(0, mostLines - added);
  let roomForNames = all ? Infinity : mostLines;
  const shown: string[] = [];
  for (const { member, lines } of differences) {
    let [cutNew, cutRest] = [0, 0];
    const within: string[] = [];
    for (const line of lines) {
      if (isNew(line) ? roomForNew > 0 : roomForRest > 0) {
        if (isNew(line)) roomForNew -= 1;
        else roomForRest -= 1;
        within.push(shownLine(line, { all, notShown }));
      } else if (isNew(line)) cutNew += 1;
      else cutRest += 1;
    }
    notShown.lines += cutNew;
    if (cutRest > 0)
      within.push(`      (${cutRest} more lines of what was: agent mcp approve --all shows them)`);
    if (cutNew > 0)
      within.push(`      (${cutNew} lines NOT shown: agent mcp approve --all shows them)`);
    // A member that went has no line of its own that is new, and one of a server that names thousands is no news.
    if (roomForNames > 0) {
      roomForNames -= 1;
      shown.push(`  ${shownName(member, { all, notShown })}`, ...within);
    } else notShown.lines += 1;
  }
  return shown;
}

/** All that there are, also those that nobody here knows: what is approved was shown. */
function membersOf(before: JsonObject | null, after: JsonObject): Set<string> {
  const found = [...Object.keys(before ?? {}), ...Object.keys(after)];
  const members = new Set([...firstMembers, ...shownMembers, ...found]);
  members.delete(omittedMember);
  return members;
}

/** A definition that is too much to be kept is known by its hash alone. */
function omission(when: string, definition: JsonObject | null): string[] {
  const characters = omittedIn(definition);
  if (characters === undefined) return [];
  return [
    `  ${when} it has ${characters} characters: too many to be shown, its hash alone is known`,
  ];
}

function omittedIn(definition: JsonObject | null): number | undefined {
  const characters = definition?.[omittedMember];
  return typeof characters === "number" ? characters : undefined;
}

function valueOf(definition: JsonObject | null, member: string): Json | undefined {
  return definition !== null && Object.hasOwn(definition, member) ? definition[member] : undefined;
}

/** Texts as they are, line by line; whatever else as JSON that people can read. */
function textOf(value: Json | undefined): string {
  if (value === undefined) return "";
  return typeof value === "string"
    ? value.replaceAll(/\r\n?|[\v\f\u0085\u2028\u2029]/gu, "\n")
    : JSON.stringify(value, null, 2);
}

function nearChanges(lines: readonly DiffLine[]): (DiffLine | string)[] {
  if (lines.every(({ sign }) => sign === " "))
    return ["(other in its line ends or its type alone)"];
  const isNear = lines.map((_, index) =>
    lines.slice(Math.max(0, index - context), index + context + 1).some(({ sign }) => sign !== " "),
  );
  const shown: (DiffLine | string)[] = [];
  for (const [index, line] of lines.entries()) {
    if (isNear[index] === true) shown.push(line);
    else if (index === 0 || isNear[index - 1] === true) shown.push("…");
  }
  return shown;
}

function shownLine(line: DiffLine | string, { all, notShown }: Showing): string {
  if (typeof line === "string") return `      ${line}`;
  const { sign, text } = line;
  const more = all ? 0 : Math.max(0, text.length - longestLine);
  const shown = `    ${sign} ${escapeForTerminal(text.slice(0, text.length - more), { lines: true })}`;
  if (more === 0) return shown;
  if (sign !== "+") return `${shown} (${more} more characters: agent mcp approve --all shows them)`;
  notShown.characters += more;
  return `${shown} (${more} characters NOT shown: agent mcp approve --all shows them)`;
}

function isNew(line: DiffLine | string): boolean {
  return typeof line !== "string" && line.sign === "+";
}

function shownName(member: string, { all, notShown }: Showing): string {
  const more = all ? 0 : Math.max(0, member.length - longestName);
  notShown.characters += more;
  const cut =
    more === 0 ? "" : ` (${more} characters NOT shown: agent mcp approve --all shows them)`;
  return escapeForTerminal(member.slice(0, member.length - more)) + cut;
}

function wordsOf({ lines, characters }: NotShown): string | undefined {
  const parts = [
    ...(lines > 0 ? [lines === 1 ? "1 line" : `${lines} lines`] : []),
    ...(characters > 0 ? [characters === 1 ? "1 character" : `${characters} characters`] : []),
  ];
  return parts.length === 0 ? undefined : parts.join(" and ");
}
