// Of yargs its parser alone: the rest of it (its own help, commands, completion, locales) is not used here, and to
// load and to run it takes longer than all that a command does before it asks a server.
import { Parser } from "yargs/helpers";
import { AppError } from "../core/errors.ts";
import { closest } from "../core/suggest.ts";
import type { CommandEntry, CommandModule, OptionSpec } from "./command.ts";
import { flagOf, globalOptions, serverOptions } from "./options.ts";
import { checkChoice, readOptions } from "./read-options.ts";

/** What a command line asks for. */
export type Invocation =
  | { kind: "version" }
  /** `path` is a command, a group, or empty for the program itself. */
  | { kind: "help"; path: readonly string[] }
  | {
      kind: "run";
      entry: CommandEntry;
      module: CommandModule;
      options: Parameters<CommandModule["run"]>[0];
    };

interface Words {
  /** What is no option, before `--`. */
  words: string[];
  /** What follows `--`. */
  rest: string[];
  flags: Readonly<Record<string, unknown>>;
}

/**
 * Finds the command and fills its options: command line first, then the environment twins the options
 * name, then defaults.
 * @throws AppError `usage`
 */
export async function parseCommandLine(
  argv: readonly string[],
  table: readonly CommandEntry[],
  variables: Readonly<Record<string, string | undefined>>,
): Promise<Invocation> {
  // The first look knows the options of all commands only; the command's own come with its file.
  const first = split(argv, { ...globalOptions, ...serverOptions });
  if (first.flags["version"] === true) return { kind: "version" };
  const asked = first.words[0] === "help" ? first.words.slice(1) : first.words;
  const found = findCommand(asked, table);
  if (found.kind === "group" || first.words[0] === "help" || first.flags["help"] === true) {
    const path = found.kind === "group" ? found.path : found.entry.path;
    return { kind: "help", path };
  }

  const { entry } = found;
  const module = (await entry.load()) as CommandModule;
  const specs: Record<string, OptionSpec> = {
    ...globalOptions,
    ...(module.talksToServer ? serverOptions : {}),
    ...module.options,
  };
  const { words, rest, flags } = split(argv, specs);
  const name = `agent ${entry.path.join(" ")}`;
  try {
    return {
      kind: "run",
      entry,
      module,
      options: {
        ...readOptions(flags, specs, variables),
        ...readPositionals([...words.slice(entry.path.length), ...rest], module),
      },
    };
  } catch (error) {
    // The way out of every wrong command line is its help, where there is no better word.
    if (error instanceof AppError && error.code === "usage" && error.hint === undefined) {
      throw new AppError("usage", error.message, { hint: `${name} --help`, cause: error });
    }
    throw error;
  }
}

function split(argv: readonly string[], specs: Readonly<Record<string, OptionSpec>>): Words {
  const options = { string: [] as string[], boolean: [] as string[] };
  const alias: Record<string, string> = {};
  for (const [key, spec] of Object.entries(specs)) {
    // Numbers are read as text, so that `--port 08x` is refused and not half understood; and so are lists, of which
    // the parser would drop the one that has no value, and a restriction with it.
    options[spec.type === "boolean" ? "boolean" : "string"].push(flagOf(key));
    if (spec.alias !== undefined) alias[flagOf(key)] = spec.alias;
  }
  const {
    _,
    "--": rest,
    ...flags
  }: Record<string, unknown> = Parser(withDashValues(argv, specs), {
    ...options,
    alias,
    configuration: {
      "boolean-negation": false,
      "camel-case-expansion": false,
      "dot-notation": false,
      "parse-numbers": false,
      "parse-positional-numbers": false,
      "populate--": true,
      "strip-aliased": true,
    },
  });
  return {
    words: Array.isArray(_) ? _.map(String) : [],
    rest: Array.isArray(rest) ? rest.map(String) : [],
    flags,
  };
}

/** `--args -` as `--args=-`: the parser takes a lone dash for a word of its own. */
function withDashValues(
  argv: readonly string[],
  specs: Readonly<Record<string, OptionSpec>>,
): string[] {
  const takeValue = new Set<string>();
  for (const [key, { type, alias }] of Object.entries(specs)) {
    if (type === "boolean") continue;
    takeValue.add(`--${flagOf(key)}`);
    if (alias !== undefined) takeValue.add(`-${alias}`);
  }
  const words: string[] = [];
  const end = argv.includes("--") ? argv.indexOf("--") : argv.length;
  for (const [index, word] of argv.entries()) {
    const before = words.at(-1);
    if (word === "-" && index < end && before !== undefined && takeValue.has(before)) {
      words[words.length - 1] = `${before}=-`;
    } else words.push(word);
  }
  return words;
}

function findCommand(
  words: readonly string[],
  table: readonly CommandEntry[],
): { kind: "command"; entry: CommandEntry } | { kind: "group"; path: readonly string[] } {
  const path: string[] = [];
  let candidates = table;
  for (const [index, word] of words.entries()) {
    const below = candidates.filter((entry) => entry.path[index] === word);
    if (below.length === 0) {
      const known = new Set(candidates.map((entry) => entry.path[index] ?? ""));
      const near = otherWords.get(word)?.find((name) => known.has(name)) ?? closest(word, known);
      throw new AppError("usage", `Unknown command: ${[...path, shown(word)].join(" ")}`, {
        hint:
          near === undefined
            ? programCommand([...path, "--help"])
            : `did you mean ${programCommand([...path, near])}?`,
      });
    }
    path.push(word);
    const entry = below.find((row) => row.path.length === index + 1);
    if (entry !== undefined) return { kind: "command", entry };
    candidates = below;
  }
  return { kind: "group", path };
}

/** What other programs call what has another name here. */
const otherWords: ReadonlyMap<string, readonly string[]> = new Map([
  ["ls", ["list", "inspect"]],
  ["list", ["inspect"]],
  ["rm", ["remove", "delete", "revoke"]],
  ["remove", ["delete", "revoke"]],
  ["delete", ["remove", "revoke"]],
  ["get", ["show"]],
  ["create", ["add", "save"]],
  ["add", ["create", "save"]],
  ["call", ["run"]],
  ["run", ["call"]],
  ["start", ["serve"]],
]);

function programCommand(words: readonly string[]): string {
  return ["agent", ...words].join(" ");
}

function readPositionals(
  words: readonly string[],
  { positionals = [] }: Pick<CommandModule, "positionals">,
): Record<string, string | string[] | undefined> {
  const left = [...words];
  const values: Record<string, string | string[] | undefined> = {};
  for (const { name, required, variadic, choices } of positionals) {
    if (required && left.length === 0) {
      throw new AppError("usage", `<${name}> is missing`);
    }
    const given = variadic ? left.splice(0) : left.shift();
    if (typeof given === "string" && choices !== undefined)
      checkChoice(`<${name}>`, given, choices);
    values[name] = given;
  }
  const [extra] = left;
  if (extra !== undefined) {
    throw new AppError("usage", `Unexpected argument: ${shown(extra)}`);
  }
  return values;
}

/** A word of the command line for a message. A long one may be a token in the wrong place. */
function shown(word: string): string {
  return word.length <= 20 ? word : `${word.slice(0, 4)}…`;
}
