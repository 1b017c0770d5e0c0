import type { OptionSpec } from "../command.ts";

/** Of every command that edits the configuration file. */
export const configurationOptions = {
  config: {
    type: "string",
    alias: "f",
    placeholder: "<file>",
    describe:
      "The configuration file (default: the running gateway's, else mcp.json in the configuration folder)",
    env: "ONEDOOR_CONFIG",
  },
} as const satisfies Record<string, OptionSpec>;
