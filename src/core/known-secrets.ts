import { redacted } from "./credential-forms.ts";
import { isJsonObject, parseJson } from "./json.ts";
import type { Json } from "./json.ts";
import { sameJson } from "./same-json.ts";

/** Secrets the program knows, made ready to be looked for in many texts. */
export interface KnownSecrets {
  /** The text with each of them replaced, also where JSON escapes hide it: then the text comes without its escapes. */
  hideIn(text: string): string;
  /** Whether this number, object or array is one of them. */
  has(value: Json): boolean;
  /** These and one more, which is not kept anywhere; itself where the other is undefined. */
  with(secret: string | undefined): KnownSecrets;
  /** Characters of the longest. */
  readonly longest: number;
}

/** Shorter ones would cut holes into ordinary words. */
const shortestSecret = 6;
/** JSON within JSON within …: as often are escapes undone to look for secrets below them. */
const mostUnescaped = 16;

/** Sorts and spells the secrets, which takes a while: once for each configuration. Shorter than 6 characters: ignored. */
export function knownSecrets(secrets: Iterable<string>): KnownSecrets {
  const given = [...new Set(secrets)].filter((secret) => secret.length >= shortestSecret);
  const spellings = [...new Set(given.flatMap(spellingsOf))].toSorted(longestFirst);
  const values = given.flatMap(valuesOf);
  return ready(spellings, values);
}

export const noSecrets = knownSecrets([]);

function ready(spellings: readonly string[], values: readonly Json[]): KnownSecrets {
  const shortest = spellings.at(-1)?.length ?? Infinity;

  const replaceIn = (text: string): string => {
    if (text.length < shortest) return text;
    let result = text;
    // A secret that contains another one goes first, or its rest would stay.
    for (const spelling of spellings) {
      if (result.length >= spelling.length && result.includes(spelling)) {
        result = result.replaceAll(spelling, redacted);
      }
    }
    return result;
  };

  const secrets: KnownSecrets = {
    hideIn(text) {
      let shown = replaceIn(text);
      if (text.length < shortest) return shown;
      let plain = shown;
      for (let times = 0; times < mostUnescaped && plain.includes("\\"); times += 1) {
        const unescaped = withoutEscapes(plain);
        if (unescaped === plain) break;
        plain = replaceIn(unescaped);
        if (plain !== unescaped) shown = plain;
      }
      return shown;
    },
    has(value) {
      if (values.length === 0) return false;
      return typeof value === "number" || (typeof value === "object" && value !== null)
        ? values.some((secret) => isSame(secret, value))
        : false;
    },
    with(secret) {
      if (secret === undefined || secret.length < shortestSecret) return secrets;
      const more = spellingsOf(secret).filter((spelling) => !spellings.includes(spelling));
      if (more.length === 0) return secrets;
      return ready([...spellings, ...more].toSorted(longestFirst), values.concat(valuesOf(secret)));
    },
    longest: spellings[0]?.length ?? 0,
  };
  return secrets;
}

function longestFirst(left: string, right: string): number {
  return right.length - left.length;
}

/** As it is; as it stands in JSON; and what is JSON itself, or a piece of it, without the space between its parts. */
function spellingsOf(secret: string): string[] {
  const spellings = [secret];
  if (/["\\\n\r\t]/u.test(secret)) {
    const dense = withoutSpaces(secret);
    spellings.push(dense, inJson(secret), inJson(dense));
  }
  return spellings.filter((spelling) => spelling.length >= shortestSecret);
}

/** What it is where it is not written as a text: a number, an object, an array. */
function valuesOf(secret: string): Json[] {
  if (!/^\s*[-\d[{]/u.test(secret)) return [];
  // Also with leading zeros, which JSON's numbers have not.
  if (/^\d+$/u.test(secret)) return [Number(secret)];
  try {
    const value = parseJson(secret);
    return typeof value === "object" && value !== null && Object.keys(value).length === 0
      ? []
      : [value];
  } catch {
    return [];
  }
}

function isSame(secret: Json, value: Json): boolean {
  if (typeof secret !== typeof value || Array.isArray(secret) !== Array.isArray(value)) {
    return false;
  }
  if (isJsonObject(secret) && isJsonObject(value)) {
    // Most objects differ here, at once.
    for (const key of Object.keys(secret)) if (!Object.hasOwn(value, key)) return false;
  }
  return sameJson(secret, value);
}

/** JSON text without the space between its tokens; other text may change in any way that keeps quoted parts. */
export function withoutSpaces(text: string): string {
  return text.replace(/("[^"\\]*(?:\\.[^"\\]*)*(?:"|$))|\s+/gsu, "$1");
}

function inJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

const escapes: Readonly<Record<string, string>> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
};

/** The text as one level of JSON's strings means it (RFC 8259 §7). */
function withoutEscapes(text: string): string {
  return text.replace(
    /\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))/gu,
    (_whole, code: string | undefined, character: string) =>
      code === undefined
        ? (escapes[character] ?? character)
        : String.fromCharCode(Number.parseInt(code, 16)),
  );
}
