import { isJsonObject, parseJson, type Json, type JsonObject } from "./json.ts";

export const redacted = "[redacted]";

export interface RedactOptions {
  /** Secrets the program knows; each is replaced wherever it occurs. Shorter than 6 characters: ignored. */
  secrets?: Iterable<string> | undefined;
  /** Characters of JSON the result may have. */
  maxLength?: number | undefined;
}

const defaultMaxLength = 8 * 1024;
const deepest = 24;
const mostNodes = 5_000;
/** A longer string is cut before it is searched; the result could not hold it anyway. */
const longestString = 16 * 1024;
const shortestSecret = 6;

/**
 * A copy of `params` fit for the audit log: values under telling keys, known secrets and what looks like
 * a bearer are replaced, in nested objects and inside strings that are JSON too. What is too large
 * becomes `{truncated: true, preview}`, the preview redacted as well. Never changes its input.
 */
export function redactParams(params: JsonObject, options: RedactOptions = {}): JsonObject {
  const maxLength = options.maxLength ?? defaultMaxLength;
  const secrets = [...(options.secrets ?? [])]
    .filter((secret) => secret.length >= shortestSecret)
    // A secret that contains another one goes first, or its rest would stay.
    .toSorted((left, right) => right.length - left.length);
  const copy = redactObject(params, { secrets, nodes: 0 }, 0);
  const text = JSON.stringify(copy);
  return text.length <= maxLength ? copy : { truncated: true, preview: text.slice(0, maxLength) };
}

interface Walk {
  secrets: readonly string[];
  nodes: number;
}

function redactObject(value: JsonObject, walk: Walk, depth: number): JsonObject {
  const entries: [string, Json][] = [];
  for (const key of Object.keys(value)) {
    walk.nodes += 1;
    if (walk.nodes > mostNodes) {
      entries.push(["…", "more was left out"]);
      break;
    }
    const inner = value[key] ?? null;
    entries.push([
      redactString(key, walk, depth),
      isTelling(key, inner) ? hidden(inner) : redactValue(inner, walk, depth + 1),
    ]);
  }
  // Not by assignment: a key `__proto__` must stay a key.
  return Object.fromEntries(entries);
}

function redactValue(value: Json, walk: Walk, depth: number): Json {
  walk.nodes += 1;
  if (walk.nodes > mostNodes || depth > deepest) return "…";
  if (typeof value === "string") return redactString(value, walk, depth);
  if (Array.isArray(value)) {
    const items: Json[] = [];
    for (const item of value) {
      if (walk.nodes > mostNodes) {
        items.push("…");
        break;
      }
      items.push(redactValue(item, walk, depth + 1));
    }
    return items;
  }
  return isJsonObject(value) ? redactObject(value, walk, depth) : value;
}

function redactString(text: string, walk: Walk, depth: number): string {
  if (text.length <= longestString) {
    return redactJsonText(text, walk, depth) ?? replacePatterns(replaceSecrets(text, walk));
  }
  const found = replaceSecrets(text.slice(0, longestString), walk);
  // The margin keeps the half of a secret that may stand at the cut out of the result.
  const margin = walk.secrets[0]?.length ?? 0;
  return `${replacePatterns(found.slice(0, Math.max(0, found.length - margin)))}…`;
}

/** A string that is itself a JSON object or array, redacted inside; undefined when it is none. */
function redactJsonText(text: string, walk: Walk, depth: number): string | undefined {
  if (!/^\s*[[{]/u.test(text)) return undefined;
  let parsed: Json;
  try {
    parsed = parseJson(text);
  } catch {
    return undefined;
  }
  const after = JSON.stringify(redactValue(parsed, walk, depth + 1));
  // What held no secret keeps its own spelling.
  return spelling(parsed) === after ? text : after;
}

/** As JSON; undefined where it is nested deeper than the stack, which no redacted copy is. */
function spelling(value: Json): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

function replaceSecrets(text: string, walk: Walk): string {
  let result = text;
  for (const secret of walk.secrets) result = result.replaceAll(secret, redacted);
  return result;
}

/** What looks like a credential wherever it stands: each pattern is linear in the text. */
const patterns: readonly (readonly [RegExp, string])[] = [
  [/\b(Bearer|Basic) +[A-Za-z0-9._~+/=-]{8,}/giu, `$1 ${redacted}`],
  // Tokens this gateway mints, and JSON Web Tokens (RFC 7519).
  [/\bod_[A-Za-z0-9_-]{16,}/gu, redacted],
  [/\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*/gu, redacted],
  // The password in a URL (RFC 3986 §3.2.1).
  [/(:\/\/[^\s/:@]{0,200}:)[^\s/@]{1,200}@/gu, `$1${redacted}@`],
];

/** What looks like a credential by its form is replaced, wherever in the text it stands. */
export function replacePatterns(text: string): string {
  let result = text;
  for (const [pattern, replacement] of patterns) result = result.replace(pattern, replacement);
  return result;
}

const tellingKey =
  /authorization|token|passw(?:or)?d|passphrase|secret|apikey|accesskey|privatekey|credential|cookie|bearer|^pwd$|^pin$|^otp$/u;

/** `max_tokens: 100` counts tokens; a flag or nothing hides nothing. */
function isTelling(key: string, value: Json): boolean {
  if (value === null || typeof value === "boolean") return false;
  if (!isTellingKey(key)) return false;
  return !(typeof value === "number" && /tokens/iu.test(key));
}

/** Whether what stands under this name is a secret as a rule: `X-Api-Key`, `client_secret`. */
export function isTellingKey(key: string): boolean {
  return tellingKey.test(key.toLowerCase().replace(/[^a-z0-9]/gu, ""));
}

/** An empty value shows that there was none. */
function hidden(value: Json): Json {
  return value === "" ? "" : redacted;
}
