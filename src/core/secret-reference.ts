import { isJsonObject } from "./json.ts";
import type { Json, JsonObject } from "./json.ts";
import { quoteForShell } from "./shell-quote.ts";

/** A part of a name as `add` makes it, `<server>/<KEY>`. */
const partsOfName = /^[\w.-]+(?:\/[\w.-]+)*$/u;
/** Enough for a server whose name holds no plain character, see `secretWord`. */
const longestName = 500;

/** `${secret:…}`, whatever stands in it: what is no name there is a mistake, and no text to hand on as it is. */
export const secretPattern = /\$\{secret:([^}]*)\}/gu;

/** A text up to its last `}`: behind it no reference ends, and looking for its end at each `${` would take very long. */
export function closedPart(text: string): string {
  return text.slice(0, text.lastIndexOf("}") + 1);
}

/** Whether a word can name a secret of an upstream server, as it stands in `${secret:NAME}`. */
export function isSecretName(word: string): boolean {
  return word.length <= longestName && partsOfName.test(word);
}

/** What stands in the configuration in place of a secret that is kept elsewhere. */
export function secretReference(name: string): string {
  return `\${secret:${name}}`;
}

/** What a secret of a server is called: `github/GITHUB_TOKEN`. */
export function secretName(server: string, key: string): string {
  return `${secretWord(server)}/${secretWord(key)}`;
}

/** Whether a secret is kept for this server. */
export function isSecretOf(secret: string, server: string): boolean {
  return secret.startsWith(secretName(server, ""));
}

/** Every reference to a secret in the texts of a value, and the way to it. */
export function* secretReferences(
  value: Json,
  path: readonly (string | number)[] = [],
): Generator<{ name: string; path: readonly (string | number)[] }> {
  if (typeof value === "string") {
    for (const [, name = ""] of closedPart(value).matchAll(secretPattern)) {
      if (isSecretName(name)) yield { name, path };
    }
  } else if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) yield* secretReferences(item, [...path, index]);
  } else if (isJsonObject(value)) {
    for (const [key, item] of Object.entries(value)) yield* secretReferences(item, [...path, key]);
  }
}

/** The names of the secrets that a value refers to, each once. */
export function secretsIn(value: Json | undefined): string[] {
  return [...new Set([...secretReferences(value ?? null)].map(({ name }) => name))];
}

/** An entry of a server that is called otherwise now: secrets are kept for a server by its name. */
export function withSecretsOf(entry: JsonObject, from: string, to: string): JsonObject {
  const [before, after] = [secretName(from, ""), secretName(to, "")];
  if (before === after) return entry;
  const renamed = (value: Json): Json => {
    if (typeof value === "string") {
      const closed = closedPart(value);
      const changed = closed.replaceAll(secretPattern, (whole, name: string) =>
        name.startsWith(before) ? secretReference(after + name.slice(before.length)) : whole,
      );
      return changed + value.slice(closed.length);
    }
    if (Array.isArray(value)) return value.map(renamed);
    return isJsonObject(value) ? renamedIn(value) : value;
  };
  const renamedIn = (object: JsonObject): JsonObject =>
    Object.fromEntries(Object.entries(object).map(([key, value]) => [key, renamed(value)]));
  return renamedIn(entry);
}

/**
 * The command that keeps a secret under this name, for hints.
 * @param place where it is used, when that is known: `env` or `headers`
 * @param user the server whose entry refers to it, when that is known
 */
export function keepSecretCommand(
  name: string,
  place?: string | number,
  user?: string | number,
): string {
  const [server = "", key, ...more] = name.split("/");
  if (key === undefined || key === "" || more.length > 0) {
    return "agent mcp add <server> --env <KEY> --replace, which keeps it as <server>/<KEY>";
  }
  const owner = typeof user === "string" && isSecretOf(name, user) ? user : server;
  const isHeader = place === "headers" || !/^[A-Za-z_]\w*$/u.test(key) || key === "Authorization";
  return `agent mcp add ${quoteForShell(owner)} --${isHeader ? "header" : "env"} ${key} --replace`;
}

/**
 * A text in the characters that a name may hold. No two have the same word: a server must not be given, or overwrite,
 * what is kept for another. What holds `--` itself is written out too, so that nobody can be called like a word of ours.
 */
function secretWord(text: string): string {
  if (/^[\w.-]*$/u.test(text) && !text.includes("--")) return text;
  return text.replaceAll(
    /[^\w.]/gu,
    (character) => `--${(character.codePointAt(0) ?? 0).toString(16)}-`,
  );
}
