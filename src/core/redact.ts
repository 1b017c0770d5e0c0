import { redacted, replacePatterns } from "./credential-forms.ts";
import { hideNamed } from "./hide-named.ts";
import { isJsonObject, parseJson, type Json, type JsonObject } from "./json.ts";
import { noSecrets, withoutSpaces } from "./known-secrets.ts";
import type { KnownSecrets } from "./known-secrets.ts";
import { isTelling } from "./telling-names.ts";

export interface RedactOptions {
  /** Secrets the program knows; each is replaced wherever it occurs. */
  secrets?: KnownSecrets | undefined;
  /** Characters of JSON the result may have. */
  maxLength?: number | undefined;
}

const defaultMaxLength = 8 * 1024;
const deepest = 24;
const mostNodes = 5_000;
/** A longer string is cut before it is searched; the result could not hold it anyway. */
const longestString = 16 * 1024;
/** A longer one is not read as JSON. */
const longestJson = 256 * 1024;
/** Characters, and texts, that are read as JSON in all. */
const mostJson = 512 * 1024;
const mostTexts = 500;

/**
 * A copy of `params` fit for the audit log: values under telling keys, known secrets and what looks like a credential
 * are replaced, in nested objects and inside strings that are JSON too. What is too large becomes
 * `{truncated: true, preview}`, the preview redacted as well. Never changes its input.
 */
export function redactParams(params: JsonObject, options: RedactOptions = {}): JsonObject {
  const { maxLength = defaultMaxLength, secrets = noSecrets } = options;
  const walk: Walk = { secrets, nodes: 0, room: maxLength, json: mostJson, texts: mostTexts };
  const copy = redactObject(params, walk, 0);
  // A character has six at most in JSON, and a node four around it.
  if (6 * (maxLength - walk.room) + 4 * walk.nodes <= maxLength) return copy;
  const text = JSON.stringify(copy);
  return text.length <= maxLength ? copy : { truncated: true, preview: text.slice(0, maxLength) };
}

interface Walk {
  readonly secrets: KnownSecrets;
  nodes: number;
  /** Characters the result still has room for; what comes behind them is not looked at, for it is cut off. */
  room: number;
  /** Characters, and texts, that may still be read as JSON. */
  json: number;
  texts: number;
}

function isOver(walk: Walk): boolean {
  return walk.nodes > mostNodes || walk.room < 0;
}

function redactObject(value: JsonObject, walk: Walk, depth: number): JsonObject {
  const entries: [string, Json][] = [];
  const keys = Object.keys(value);
  const isPair = namesTelling(value, keys);
  for (const key of keys) {
    walk.nodes += 1;
    if (isOver(walk)) {
      entries.push(["…", "more was left out"]);
      break;
    }
    const inner = value[key] ?? null;
    const isHidden = isTelling(key, inner) || (isPair && valueKey.test(key) && inner !== null);
    entries.push([
      redactString(key, walk, depth),
      isHidden ? hidden(inner, walk) : redactValue(inner, walk, depth + 1),
    ]);
  }
  // Not by assignment: a key `__proto__` must stay a key.
  return Object.fromEntries(entries);
}

const nameKey = /^(?:name|key|header|field)$/iu;
const valueKey = /^values?$/iu;

/** `{name: "Authorization", value: …}`, as lists of headers, fields and variables are written. */
function namesTelling(value: JsonObject, keys: readonly string[]): boolean {
  if (keys.length < 2 || !keys.some((key) => valueKey.test(key))) return false;
  return keys.some((key) => {
    const name = nameKey.test(key) ? value[key] : undefined;
    return typeof name === "string" && isTelling(name, "");
  });
}

function redactValue(value: Json, walk: Walk, depth: number): Json {
  walk.nodes += 1;
  if (isOver(walk) || depth > deepest) return "…";
  if (typeof value === "string") return redactString(value, walk, depth);
  if (walk.secrets.has(value)) return hidden(value, walk);
  if (Array.isArray(value)) return redactArray(value, walk, depth);
  if (isJsonObject(value)) return redactObject(value, walk, depth);
  walk.room -= 1;
  return value;
}

function redactArray(value: readonly Json[], walk: Walk, depth: number): Json[] {
  const items: Json[] = [];
  let before: Json = null;
  for (const item of value) {
    if (isOver(walk)) {
      items.push("…");
      break;
    }
    const isNamed = isTellingOption(before) && item !== null && !isOption(item);
    if (isNamed) items.push(hidden(item, walk));
    else if (isTellingPair(item)) items.push([item[0], hidden(item[1], walk)]);
    else items.push(redactValue(item, walk, depth + 1));
    before = item;
  }
  return items;
}

/** `["--password", …]`, of a command line. */
function isTellingOption(item: Json): boolean {
  return isOption(item) && typeof item === "string" && !item.includes("=") && isTelling(item, "");
}

function isOption(item: Json): boolean {
  return typeof item === "string" && item.length <= 100 && /^--?[A-Za-z]/u.test(item);
}

/** `[["x-api-key", …]]`, as the entries of an object are written. */
function isTellingPair(item: Json): item is [string, Json] {
  if (!Array.isArray(item) || item.length !== 2) return false;
  const [name, value = null] = item;
  return typeof name === "string" && name.length <= 100 && isTelling(name, value);
}

function redactString(text: string, walk: Walk, depth: number): string {
  const { room } = walk;
  const shown = redactJsonText(text, walk, depth) ?? redactPlainText(text, walk, depth);
  // What was inside is counted as a part of this text, once.
  walk.room = room - shown.length;
  return shown;
}

function redactPlainText(text: string, walk: Walk, depth: number): string {
  const { secrets } = walk;
  if (text.length <= longestString) {
    return replaceNamed(redactLines(secrets.hideIn(text), walk, depth));
  }
  const found = secrets.hideIn(text.slice(0, longestString));
  // The margin keeps the half of a secret that may stand at the cut out of the result, also where it is escaped.
  const margin = Math.max(secrets.longest, Math.min(6 * secrets.longest, longestString / 2));
  const kept = found.slice(0, Math.max(0, found.length - margin));
  return `${replaceNamed(redactLines(kept, walk, depth))}…`;
}

function replaceNamed(text: string): string {
  return replacePatterns(hideNamed(text));
}

/** A text of lines that are JSON each: those that are. */
function redactLines(text: string, walk: Walk, depth: number): string {
  if (!text.includes("\n") || !/^[ \t\u{feff}]*[[{]/mu.test(text)) return text;
  return text
    .split("\n")
    .map((line) => redactJsonText(line, walk, depth) ?? line)
    .join("\n");
}

/** A string that is itself JSON (not only a number or a word), redacted inside; undefined when it is none. */
function redactJsonText(text: string, walk: Walk, depth: number): string | undefined {
  if (text.length > longestJson || !/^\s*[[{"]/u.test(text)) return undefined;
  const { secrets } = walk;
  // As a whole first: what spans several values is found only so. Where that breaks the JSON, value by value.
  const whole = text.length <= longestString ? secrets.hideIn(text) : text;
  const parsed = parsedText(whole, walk) ?? (whole === text ? undefined : parsedText(text, walk));
  if (parsed === undefined) return undefined;
  const { room } = walk;
  const after = JSON.stringify(redactValue(parsed.value, walk, depth + 1));
  walk.room = room;
  // What held no secret keeps its own spelling, but nothing that is not in its value: keys that come twice.
  if (whole === text && (text === after || withoutSpaces(text) === after)) return text;
  return secrets.hideIn(after);
}

function parsedText(text: string, walk: Walk): { value: Json } | undefined {
  walk.texts -= 1;
  walk.json -= text.length;
  if (walk.texts < 0 || walk.json < 0) return undefined;
  try {
    // With the byte order mark, which `trim` takes for space.
    return { value: parseJson(text.trim()) };
  } catch {
    return undefined;
  }
}

/** An empty value shows that there was none. */
function hidden(value: Json, walk: Walk): Json {
  walk.room -= redacted.length;
  return value === "" ? "" : redacted;
}
