import type { Context } from "./context.ts";

/** One option of a command, as data: the parser, the help, the completion and the docs read it. */
export interface OptionSpec {
  type: "string" | "boolean" | "number" | "array";
  describe: string;
  alias?: string;
  choices?: readonly string[];
  default?: string | number | boolean;
  /** Name of the environment twin, where the contract has one. */
  env?: string;
  /** What the value is, in help: `<url>`, `<seconds>`. */
  placeholder?: string;
  hidden?: boolean;
  /** Refuses a second, other value, where the last one holds elsewhere; says how else to have both. */
  onlyOne?: string;
}

export interface PositionalSpec {
  name: string;
  describe: string;
  required?: boolean;
  variadic?: boolean;
  /** The only words it may be. */
  choices?: readonly string[];
}

/** Every form of a result; a command gets those alone that its own `format` option lists. */
export const resultFormats = ["text", "json", "jsonl", "csv", "toon", "compact", "ts"] as const;
export type ResultFormat = (typeof resultFormats)[number];

/** What every command gets beside its own options (after environment twins are filled in). */
export interface GlobalOptions {
  configDir?: string | undefined;
  format: ResultFormat;
  /** `--json`: results and errors as JSON. */
  json: boolean;
  quiet: boolean;
  debug: boolean;
  /** Milliseconds; absent when the user gave none, so that a command can have its own default. */
  timeoutMs?: number | undefined;
}

/** The options of every command that talks to a server. */
export interface ServerOptions {
  url?: string | undefined;
  profile?: string | undefined;
  token?: string | undefined;
  insecureHttp?: boolean | undefined;
  cacert?: string | undefined;
  insecure?: boolean | undefined;
}

/** A command's file: options as data, and one function. */
export interface CommandModule<Options extends object = Record<string, unknown>> {
  options: Readonly<Record<string, OptionSpec>>;
  positionals?: readonly PositionalSpec[];
  /** Whether every one of `serverOptions` belongs to it; a command that takes only some lists them itself. */
  talksToServer: boolean;
  /** What its options do not say, a paragraph each. */
  about?: readonly string[];
  /** Milliseconds until it gives up where `--timeout` does not say; 30 s without this. */
  defaultTimeoutMs?(options: Options): number;
  examples: readonly (readonly [command: string, explains: string])[];
  /** Resolves with the exit code when it is not 0 without an error (e.g. `auth status`). */
  run(options: Options & GlobalOptions & ServerOptions, context: Context): Promise<number | void>;
}

/** A row of the command table: enough to print a parent's help without loading the child. */
export interface CommandEntry {
  path: readonly string[];
  summary: string;
  load(): Promise<CommandModule<never>>;
}
