import type { CommandEntry, CommandModule, OptionSpec } from "../command.ts";
import { flagOf, globalOptions, serverOptions } from "../options.ts";

/** What an option takes, as far as a shell can offer it. */
export type ValueKind =
  | { kind: "none" }
  | { kind: "any" }
  | { kind: "file" }
  | { kind: "folder" }
  | { kind: "choices"; choices: readonly string[] };

export interface CompletedOption {
  long: string;
  short?: string | undefined;
  describe: string;
  value: ValueKind;
}

/** What can follow a command, a group, or the program itself (an empty path). */
export interface CompletedCommand {
  path: readonly string[];
  words: readonly { word: string; describe: string }[];
  options: readonly CompletedOption[];
}

/** Everything the shells are told, made of the command table and the commands' files. */
export async function completionModel(
  table: readonly CommandEntry[],
  groups: Readonly<Record<string, string>>,
): Promise<readonly CompletedCommand[]> {
  const parents = ["", ...Object.keys(groups)].map((name) => {
    const path = name === "" ? [] : name.split(" ");
    return { path, words: wordsBelow(path, table, groups), options: optionsOf(globalOptions) };
  });
  const commands = await Promise.all(
    table.map(async (entry) => {
      const module: CommandModule = await entry.load();
      const choices = module.positionals?.[0]?.choices ?? [];
      return {
        path: entry.path,
        words: choices.map((word) => ({ word, describe: "" })),
        options: optionsOf({
          ...module.options,
          ...(module.talksToServer ? serverOptions : {}),
          ...globalOptions,
          // A command's own word on one of them wins.
          ...module.options,
        }),
      };
    }),
  );
  return [...parents, ...commands];
}

/** Every option, of whatever command, that takes the word after it. */
export function flagsWithValue(commands: readonly CompletedCommand[]): string[] {
  const flags = commands
    .flatMap(({ options }) => options)
    .filter(({ value }) => value.kind !== "none")
    .flatMap(spellings);
  return [...new Set(flags)];
}

/** `--url`, `-u` */
export function spellings({ long, short }: CompletedOption): string[] {
  return short === undefined ? [`--${long}`] : [`--${long}`, `-${short}`];
}

function wordsBelow(
  path: readonly string[],
  table: readonly CommandEntry[],
  groups: Readonly<Record<string, string>>,
): { word: string; describe: string }[] {
  const words = new Map<string, string>();
  for (const entry of table) {
    const word = entry.path[path.length];
    if (word === undefined || !path.every((part, index) => entry.path[index] === part)) continue;
    const isCommand = entry.path.length === path.length + 1;
    words.set(word, isCommand ? entry.summary : (groups[[...path, word].join(" ")] ?? ""));
  }
  return [...words].map(([word, describe]) => ({ word, describe }));
}

function optionsOf(specs: Readonly<Record<string, OptionSpec>>): CompletedOption[] {
  return Object.entries(specs)
    .filter(([, { hidden }]) => hidden !== true)
    .map(([key, spec]) => ({
      long: flagOf(key),
      short: spec.alias,
      describe: spec.describe,
      value: valueKindOf(spec),
    }));
}

function valueKindOf({ type, choices, placeholder }: OptionSpec): ValueKind {
  if (type === "boolean") return { kind: "none" };
  if (choices !== undefined) return { kind: "choices", choices };
  if (placeholder === "<file>") return { kind: "file" };
  if (placeholder === "<folder>") return { kind: "folder" };
  return { kind: "any" };
}
