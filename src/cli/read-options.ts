import { AppError } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import { resultFormats } from "./command.ts";
import type { GlobalOptions, OptionSpec, ResultFormat, ServerOptions } from "./command.ts";
import { flagOf, serverOptions } from "./options.ts";

/** Timers take at most 2^31 - 1 milliseconds. */
const longestSeconds = 2_147_483;

/**
 * Makes a command's options of what the parser split: unknown ones refused, values checked, environment
 * twins and defaults filled in. Properties have the names of `specs`.
 * @throws AppError `usage`
 */
export function readOptions(
  flags: Readonly<Record<string, unknown>>,
  specs: Readonly<Record<string, OptionSpec>>,
  variables: Readonly<Record<string, string | undefined>>,
): Record<string, unknown> & GlobalOptions & ServerOptions {
  refuseUnknown(flags, specs);
  const values: Record<string, unknown> = {};
  for (const [key, spec] of Object.entries(specs)) {
    values[key] = readValue(key, spec, flags[flagOf(key)], variables);
  }
  const { help: _help, version: _version, timeout, ...rest } = values;
  return {
    ...rest,
    format: values["json"] === true ? "json" : formatOf(values["format"]),
    json: values["json"] === true,
    quiet: values["quiet"] === true,
    debug: values["debug"] === true,
    timeoutMs: toTimeoutMs(timeout),
  };
}

function refuseUnknown(
  flags: Readonly<Record<string, unknown>>,
  specs: Readonly<Record<string, OptionSpec>>,
): void {
  const names = Object.keys(specs).map(flagOf);
  const unknown = Object.keys(flags).find((name) => !names.includes(name));
  if (unknown === undefined) return;
  const near = unknown.length === 1 ? undefined : closest(unknown, names);
  throw new AppError(
    "usage",
    `Unknown option: ${unknown.length === 1 ? "-" : "--"}${unknown}`,
    near === undefined ? {} : { hint: `did you mean --${near}?` },
  );
}

function readValue(
  key: string,
  spec: OptionSpec,
  flag: unknown,
  variables: Readonly<Record<string, string | undefined>>,
): unknown {
  const name = `--${flagOf(key)}`;
  if (spec.type === "boolean") {
    return (Array.isArray(flag) ? flag.at(-1) : flag) ?? spec.default ?? false;
  }
  if (flag !== undefined) {
    const given = (Array.isArray(flag) ? flag : [flag]).map(String);
    // `--url` at the end of the line and `--url ""` look the same here; neither is a value.
    if (given.includes("")) throw new AppError("usage", `${name} needs a value`);
    if (spec.type === "array") return given.map((value) => checked(name, spec, value));
    if (spec.onlyOne !== undefined && new Set(given).size > 1) {
      throw new AppError("usage", `${name} can be given only once`, { hint: spec.onlyOne });
    }
    // Given twice, the last one holds: what a shell alias puts first can be overridden.
    return checked(name, spec, given.at(-1) ?? "");
  }
  const twin = spec.env === undefined || key in serverOptions ? undefined : variables[spec.env];
  // It is said once for all commands: one that lacks that form has its own.
  if (twin && key === "format" && resultFormats.some((format) => format === twin)) {
    return spec.choices?.includes(twin) === true ? twin : spec.default;
  }
  if (twin) return checked(spec.env ?? name, spec, twin);
  return spec.type === "array" ? [] : spec.default;
}

function checked(name: string, spec: OptionSpec, text: string): string | number {
  if (spec.choices !== undefined) checkChoice(name, text, spec.choices);
  if (spec.type !== "number") return text;
  const number = text.trim() === "" ? Number.NaN : Number(text);
  if (!Number.isFinite(number)) {
    throw new AppError("usage", `${name} must be a number, not ${JSON.stringify(text)}`);
  }
  return number;
}

/** What is no choice of the command's was refused before. */
function formatOf(value: unknown): ResultFormat {
  return resultFormats.find((format) => format === value) ?? "text";
}

function toTimeoutMs(seconds: unknown): number | undefined {
  if (typeof seconds !== "number") return undefined;
  if (seconds <= 0 || seconds > longestSeconds) {
    throw new AppError(
      "usage",
      `--timeout must be more than 0 and at most ${longestSeconds} seconds`,
    );
  }
  return Math.max(1, Math.round(seconds * 1000));
}

/** @throws AppError `usage` when the word is none of the choices */
export function checkChoice(name: string, word: string, choices: readonly string[]): void {
  if (choices.includes(word)) return;
  const near = closest(word, choices);
  throw new AppError(
    "usage",
    `${name} must be ${choices.join(" or ")}, not ${JSON.stringify(word)}`,
    near === undefined ? {} : { hint: `did you mean ${near}?` },
  );
}
