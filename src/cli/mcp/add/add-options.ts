import type { OptionSpec } from "../../command.ts";
import { configurationOptions } from "../../configuration/configuration-options.ts";

/** The options of `agent mcp add`. */
export interface AddOptions {
  config?: string | undefined;
  env: readonly string[];
  header: readonly string[];
  tag: readonly string[];
  type?: string | undefined;
  cwd?: string | undefined;
  disabled: boolean;
  replace: boolean;
  dryRun: boolean;
  store?: string | undefined;
  words: readonly string[];
}

export const addOptions = {
  ...configurationOptions,
  env: {
    type: "array",
    alias: "e",
    placeholder: "<KEY[=VALUE]>",
    describe:
      "A variable of the program, repeatable; without a value it is taken from the environment, else asked for and kept as a secret",
  },
  header: {
    type: "array",
    alias: "H",
    placeholder: "<NAME[: VALUE]>",
    describe: "An HTTP header of a server with a URL, repeatable; without a value as --env",
  },
  tag: { type: "array", placeholder: "<word>", describe: "Group it by this word, repeatable" },
  type: {
    type: "string",
    choices: ["stdio", "http", "sse"],
    describe:
      "How to reach it (default: stdio with a command, http with a URL, sse where that ends in /sse)",
  },
  cwd: { type: "string", placeholder: "<folder>", describe: "Start the program in this folder" },
  disabled: { type: "boolean", describe: "Write it down without connecting to it" },
  replace: {
    type: "boolean",
    describe: "Take the place of a server of this name; its tags, access and other settings stay",
  },
  store: {
    type: "string",
    choices: ["keychain", "file"],
    describe: "Where to keep its secrets (default: keychain, a file where there is none)",
    env: "ONEDOOR_STORE",
  },
  dryRun: { type: "boolean", describe: "Show what would be written, and write nothing" },
} as const satisfies Record<string, OptionSpec>;
