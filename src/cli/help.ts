import type { CommandEntry, CommandModule, OptionSpec, PositionalSpec } from "./command.ts";
import { flagOf, globalOptions, serverOptions } from "./options.ts";
import { wrap } from "./render/wrap.ts";

/** Help for the program (`path` empty) or a group: its commands, none of which is loaded. */
export function groupHelp(
  path: readonly string[],
  table: readonly CommandEntry[],
  groups: Readonly<Record<string, string>>,
  columns: number,
): string {
  const rows = new Map<string, string>();
  for (const entry of table.filter(({ path: own }) => startsWith(own, path))) {
    const name = entry.path[path.length] ?? "";
    const isGroup = entry.path.length > path.length + 1;
    rows.set(name, isGroup ? (groups[name] ?? "") : entry.summary);
  }
  const summary =
    path.length === 0
      ? "One door to every MCP server, one key ring for every door."
      : groups[path.join(" ")];
  return page([
    `Usage: ${["agent", ...path].join(" ")} <command> [options]`,
    ...(summary === undefined ? [] : [summary]),
    section("Commands", [...rows], columns),
    section("Options", optionRows(globalOptions), columns),
    ...(path.length === 0 ? [section("Examples", programExamples, columns)] : []),
    `${["agent", ...path].join(" ")} <command> --help says more about one.`,
  ]);
}

const programExamples: readonly (readonly [string, string])[] = [
  ["agent serve --background", "start the gateway"],
  ["agent auth login", "sign in to it, no token to type"],
  ["agent inspect", "list its servers"],
  ["agent inspect everything", "list a server's tools"],
  ["agent run everything/echo message=hello", "call a tool"],
];

/** Help for one command, made of the data in its file. */
export function commandHelp(entry: CommandEntry, module: CommandModule, columns: number): string {
  const positionals = (module.positionals ?? []).map(
    (spec) => [positionalUsage(spec), spec.describe] as const,
  );
  const own = Object.fromEntries(
    Object.entries(globalOptions).filter(([key]) => !(key in module.options)),
  );
  return page([
    `Usage: ${commandUsage(entry, module)}`,
    entry.summary,
    ...(module.about ?? []).map((text) => wrap(text, columns).join("\n")),
    section("Arguments", positionals, columns),
    section("Options", optionRows(module.options), columns),
    section("Server", module.talksToServer ? optionRows(serverOptions) : [], columns),
    section("Common options", optionRows(own), columns),
    section("Examples", module.examples, columns),
  ]);
}

/** `agent run <target> [arguments…] [options]` */
export function commandUsage(entry: CommandEntry, module: CommandModule): string {
  const positionals = (module.positionals ?? []).map(positionalUsage);
  return ["agent", ...entry.path, ...positionals, "[options]"].join(" ");
}

function positionalUsage({ name, required, variadic }: PositionalSpec): string {
  const text = variadic ? `${name}…` : name;
  return required ? `<${text}>` : `[${text}]`;
}

/** The rows of an option table: how it is written, and what it does. */
export function optionRows(
  specs: Readonly<Record<string, OptionSpec>>,
): (readonly [written: string, describe: string])[] {
  return Object.entries(specs)
    .filter(([, spec]) => spec.hidden !== true)
    .map(([key, spec]) => {
      const value = spec.type === "boolean" ? "" : ` ${valueOf(spec)}`;
      const short = spec.alias === undefined ? "" : `-${spec.alias}, `;
      const twin = spec.env === undefined ? "" : ` [${spec.env}]`;
      const fallback =
        spec.default === undefined || spec.default === false ? "" : ` (default: ${spec.default})`;
      return [`${short}--${flagOf(key)}${value}`, `${spec.describe}${fallback}${twin}`] as const;
    });
}

function valueOf({ choices, placeholder, type }: OptionSpec): string {
  return choices?.join("|") ?? placeholder ?? (type === "number" ? "<number>" : "<text>");
}

function section(
  title: string,
  rows: readonly (readonly [string, string])[],
  columns: number,
): string {
  if (rows.length === 0) return "";
  const left = Math.min(Math.max(...rows.map(([name]) => name.length)), Math.floor(columns / 2));
  const width = Math.max(20, columns - left - 4);
  const lines = rows.flatMap(([name, text]) => {
    const [first = "", ...more] = wrap(text, width);
    const indent = " ".repeat(left + 4);
    return name.length > left
      ? [`  ${name}`, `${indent}${first}`, ...more.map((line) => indent + line)]
      : [`  ${name.padEnd(left)}  ${first}`, ...more.map((line) => indent + line)];
  });
  return [`${title}:`, ...lines].join("\n");
}

function page(parts: readonly string[]): string {
  return `${parts.filter((part) => part !== "").join("\n\n")}\n`;
}

function startsWith(path: readonly string[], start: readonly string[]): boolean {
  return start.every((word, index) => path[index] === word);
}
