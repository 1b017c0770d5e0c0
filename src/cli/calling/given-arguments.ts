import { AppError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { readSmallFile } from "../read-small-file.ts";

/** The arguments of a tool as a command line gives them. */
export interface GivenArguments {
  arguments: JsonObject;
  /** `key=value`: text that the tool's schema gives a type. Wins over the same name in `arguments`. */
  untyped: Readonly<Record<string, string>>;
}

const objectHint = `Arguments are an object: '{"name": "value"}'`;

/** What `--args @file` and a pipe may hold at most, in bytes. */
export const maxInputBytes = 16 * 1024 * 1024;

/**
 * Reads `key=value` and `key:=<json>` words.
 * @throws AppError `usage`, naming the word's key
 */
export function readPairs(words: readonly string[]): GivenArguments {
  const typed: [string, Json][] = [];
  const untyped: [string, string][] = [];
  const seen = new Set<string>();
  for (const word of words) {
    const equals = word.indexOf("=");
    const json = word[equals - 1] === ":";
    const key = word.slice(0, json ? equals - 1 : equals);
    if (equals === -1 || key === "") throw notAPair(word);
    if (seen.has(key)) {
      throw new AppError("usage", `${quoteForShell(key)} is given twice`, {
        hint: `A list is one JSON value: ${quoteForShell(key)}:='["a","b"]'`,
      });
    }
    seen.add(key);
    const value = word.slice(equals + 1);
    if (json) typed.push([key, parseValue(value, `${quoteForShell(key)}:=`)]);
    else untyped.push([key, value]);
  }
  // `fromEntries` makes own properties of every name, `__proto__` included.
  return { arguments: Object.fromEntries(typed), untyped: Object.fromEntries(untyped) };
}

function notAPair(word: string): AppError {
  const isJson = /^\s*[{[]/u.test(word);
  return new AppError(
    "usage",
    isJson ? "Arguments as JSON come behind --args" : `${quoteForShell(word)} is not key=value`,
    { hint: isJson ? "--args '<json>', --args @file, or --args -" : "key=value, or key:=<json>" },
  );
}

/**
 * `--args`: JSON or `@file`. Undefined where there is nothing to read yet: none given, or `-` for stdin.
 * @throws AppError `usage`
 */
export async function readArgsOption(given: string | undefined): Promise<JsonObject | undefined> {
  if (given === undefined || given === "-") return undefined;
  if (!given.startsWith("@")) return parseArguments(given, "--args");
  const hint = "Behind @ stands the path of a file that holds a JSON object";
  const text = await readSmallFile(given.slice(1), maxInputBytes, "arguments", hint);
  return parseArguments(text, given);
}

export function tooMuch(source: string): AppError {
  return new AppError("usage", `${source} holds more than ${maxInputBytes / 1024 / 1024} MiB`);
}

/**
 * A JSON object of arguments.
 * @param source what it came from, for the message
 * @throws AppError `usage`
 */
export function parseArguments(text: string, source: string): JsonObject {
  const value = parseValue(text, source);
  if (isJsonObject(value)) return value;
  throw new AppError("usage", `${source} is JSON, but not an object`, {
    hint: objectHint,
  });
}

function parseValue(text: string, source: string): Json {
  const json = text.replace(/^\ufeff/u, "");
  try {
    const value: Json = JSON.parse(json);
    return value;
  } catch (error) {
    const where = placeOf(error, json);
    const hint = source.endsWith(":=")
      ? "Behind := stands JSON, strings in quotes; plain text goes behind ="
      : objectHint;
    // The parser's own message repeats the input, which may hold a secret.
    throw new AppError("usage", `${source} is not valid JSON${where}`, { hint });
  }
}

/** Where the parser stopped: line and column, from 1. */
function placeOf(error: unknown, text: string): string {
  const position = /at position (\d+)/u.exec(error instanceof Error ? error.message : "")?.[1];
  if (position === undefined) return text.trim() === "" ? ": it is empty" : "";
  const before = text.slice(0, Number(position)).split("\n");
  return `: line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}`;
}
