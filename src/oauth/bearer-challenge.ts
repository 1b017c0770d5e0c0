import type { BearerChallenge } from "./oauth.ts";

/** Longer than any challenge, in characters; what goes on after that is not read. */
const maxLength = 16 * 1024;

/** Of RFC 9110 §5.6.2. */
const token = /[!#$%&'*+.^_`|~\w-]+/uy;
/** A parameter's name and its `=`. */
const parameterStart = /([!#$%&'*+.^_`|~\w-]+)[ \t]*=[ \t]*/uy;
const quoted = /"((?:[^"\\]|\\.)*)"/suy;
const token68 = /[\w.~+/-]+=*(?=[ \t]*(?:,|$))/uy;
/** Not quoted: as servers write URLs, not only the tokens that are allowed. */
const plain = /[^\s,"]+/uy;
const separators = /[ \t,]*/uy;
const spaces = /[ \t]*/uy;

/**
 * Finds the `Bearer` challenge in a `WWW-Authenticate` header (RFC 9110 §11.6.1, RFC 6750 §3), which may hold several:
 * the first that names a metadata document, else the first.
 * @param header as the server sent it, several fields joined by commas; foreign text
 * @returns undefined when there is no Bearer challenge
 */
export function readBearerChallenge(header: string | undefined): BearerChallenge | undefined {
  if (header === undefined) return undefined;
  const bearers = challengesIn(header.slice(0, maxLength))
    .filter(({ scheme }) => scheme === "bearer")
    .map(({ parameters }) => ({
      resourceMetadata: parameters.get("resource_metadata"),
      scope: parameters.get("scope"),
      error: parameters.get("error"),
    }));
  return bearers.find(({ resourceMetadata }) => resourceMetadata !== undefined) ?? bearers[0];
}

interface Challenge {
  /** Lower case. */
  scheme: string;
  /** Names in lower case; of a name that comes twice, the first. */
  parameters: ReadonlyMap<string, string>;
}

/** What cannot be understood ends the reading: what came before it counts. */
function challengesIn(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let position = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = position;
    const match = pattern.exec(header) ?? undefined;
    if (match) position = pattern.lastIndex;
    return match;
  };
  let parameters: Map<string, string> | undefined;
  while (position < header.length) {
    take(separators);
    const name = parameters && take(parameterStart)?.[1]?.toLowerCase();
    if (name !== undefined) {
      const text = take(quoted)?.[1]?.replaceAll(/\\(.)/gsu, "$1") ?? take(plain)?.[0];
      if (text === undefined) break;
      if (parameters?.has(name) === false) parameters.set(name, text);
      continue;
    }
    const scheme = take(token)?.[0];
    if (scheme === undefined) break;
    parameters = new Map();
    challenges.push({ scheme: scheme.toLowerCase(), parameters });
    take(spaces);
    // Of other schemes (Negotiate, Basic), whose one word is no parameter.
    take(token68);
  }
  return challenges;
}
