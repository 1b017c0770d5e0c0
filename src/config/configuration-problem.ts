import { AppError } from "../core/errors.ts";

export type KeyPath = readonly (string | number)[];

/** One thing that is wrong in the configuration file. */
export interface ConfigurationProblem {
  path: KeyPath;
  /** What is wrong, in words that never repeat a value (it may be a secret). */
  reason: string;
  /** 1-based line; absent when the problem is not at a place of the file. */
  line?: number | undefined;
  /** What to do about it, when that is not evident. */
  hint?: string | undefined;
  /** Whether another problem may have caused it, as a misspelt key leaves the right one out: told after the others. */
  isConsequence?: boolean | undefined;
  /** Wrong only because this environment variable is not set here; elsewhere it may be. */
  unsetVariable?: string | undefined;
}

/** What is wrong with a configuration file, whole: the message tells the first problem. */
export class ConfigurationError extends AppError {
  readonly file: string;
  readonly problems: readonly ConfigurationProblem[];

  constructor(
    message: string,
    hint: string | undefined,
    file: string,
    problems: readonly ConfigurationProblem[],
  ) {
    super("config_invalid", message, { hint });
    this.file = file;
    this.problems = problems;
  }
}

const plainKey = /^[A-Za-z_$][A-Za-z0-9_$-]*$/;

/** A path as people write it: `mcpServers.files.args[0]`, other names quoted: `mcpServers["a.b"]`. */
export function formatKeyPath(path: KeyPath): string {
  let text = "";
  for (const key of path) {
    if (typeof key === "number") text += `[${key}]`;
    else if (plainKey.test(key)) text += text === "" ? key : `.${key}`;
    else text += `[${JSON.stringify(key)}]`;
  }
  return text;
}

/** `<file>:<line>: <key path>`, leaving out what is not known. */
export function formatPlace(
  file: string,
  { path, line }: Pick<ConfigurationProblem, "path" | "line">,
): string {
  const place = line === undefined ? file : `${file}:${line}`;
  const key = formatKeyPath(path);
  return key === "" ? place : `${place}: ${key}`;
}

/** `<file>:<line>: <key path>: <reason>`, leaving out what is not known. */
export function formatProblem(file: string, problem: ConfigurationProblem): string {
  return `${formatPlace(file, problem)}: ${problem.reason}`;
}

/** The first problem as the message; the hint says what to do, or how many more there are. */
export function configurationError(
  file: string,
  problems: readonly [ConfigurationProblem, ...ConfigurationProblem[]],
): ConfigurationError {
  const sorted = problems.toSorted(
    (a, b) =>
      Number(a.isConsequence ?? false) - Number(b.isConsequence ?? false) ||
      (a.line ?? 0) - (b.line ?? 0),
  );
  const first = sorted[0] ?? problems[0];
  const more = problems.length - 1;
  const hints = [
    ...(first.hint === undefined ? [] : [first.hint]),
    ...(more === 0 ? [] : [`${more} more ${more === 1 ? "problem" : "problems"} in this file`]),
  ];
  const hint = hints.length === 0 ? undefined : hints.join("; ");
  return new ConfigurationError(formatProblem(file, first), hint, file, sorted);
}
