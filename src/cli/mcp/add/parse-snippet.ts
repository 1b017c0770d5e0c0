import { parseJsonDocument } from "../../../config/json-document.ts";
import { AppError } from "../../../core/errors.ts";
import type { Json } from "../../../core/json.ts";
import { forms } from "./given-server.ts";

/** As much as a configuration file may hold. */
export const mostSnippetBytes = 1024 * 1024;

/**
 * Reads JSON as people copy it out of a page: with comments and trailing commas, in a Markdown fence with words around
 * it, without the braces around it, or with typographic quotes.
 * @throws AppError `usage`, saying what is wrong with it and in which line
 */
export function parseSnippet(text: string): Json {
  if (Buffer.byteLength(text) > mostSnippetBytes) {
    throw new AppError("usage", "The snippet is larger than 1 MiB");
  }
  const plain = withoutFence(text.replace(/^\u{feff}/u, "")).trim();
  if (plain === "") throw new AppError("usage", "The snippet is empty", { hint: forms });
  const [first, ...others] = readings(plain);
  const parsed = parse(first);
  if ("value" in parsed) return parsed.value;
  for (const reading of others) {
    const other = parse(reading);
    if ("value" in other) return other.value;
  }
  throw new AppError("usage", `The snippet cannot be read: ${parsed.reason}`, { hint: forms });
}

/** What stands in the first fence, with an end or without; all of it where there is none. */
function withoutFence(text: string): string {
  // Each line is read once: no part of it can match in two ways, and every end of a line ends the fence's own.
  const opening = /^[ \t]*(?:```|~~~)[^\r\n\u2028\u2029]*\r?\n/mu.exec(text);
  if (opening === null) return text.trim().replace(/^`([^`]*)`$/u, "$1");
  const inside = text.slice(opening.index + opening[0].length);
  const end = inside.search(/^[ \t]*(?:```|~~~)/mu);
  return end === -1 ? inside : inside.slice(0, end);
}

/** The most likely one first: its problem is told. */
function readings(text: string): [string, ...string[]] {
  const body = text.replace(/,$/u, "");
  const whole = /^[{[]/u.test(text.replaceAll(/^(?:\s|\/\/[^\n]*(?:\n|$)|\/\*[^]*?\*\/)+/gu, ""));
  const bare = `{${body}\n}`;
  const found: [string, ...string[]] = whole
    ? [body, `${body}}`, `${body}}}`, bare]
    : [bare, `{${body}`, `{${body}}}`, body];
  const quotes = /[\u{201c}\u{201d}]/gu;
  return quotes.test(text)
    ? ([...found, ...found.map((reading) => reading.replaceAll(quotes, '"'))] as [
        string,
        ...string[],
      ])
    : found;
}

function parse(text: string): { value: Json } | { reason: string } {
  const result = parseJsonDocument(text);
  if (result.kind === "parsed") {
    const { value } = result.document;
    return typeof value === "object" && value !== null
      ? { value }
      : { reason: "it is no JSON object" };
  }
  const [{ reason, line }] = result.problems;
  return { reason: line === undefined ? reason : `${reason} (line ${line})` };
}
