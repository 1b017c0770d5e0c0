// What scripts/docs.mjs reads of the program; it bundles this file to load it.
export { commandUsage, optionRows } from "../src/cli/help.ts";
export { globalOptions, serverOptions } from "../src/cli/options.ts";
export { commandTable } from "../src/cli/table.ts";
export { configurationJsonSchema } from "../src/config/configuration-schema.ts";
