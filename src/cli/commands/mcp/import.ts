import type { CommandModule } from "../../command.ts";
import { configurationOptions } from "../../configuration/configuration-options.ts";
import { runImport } from "../../mcp/import/run-import.ts";
import type { ImportOptions } from "../../mcp/import/run-import.ts";
import { mcpDependencies } from "../../mcp/mcp-dependencies.ts";
import type { McpDependencies } from "../../mcp/mcp-dependencies.ts";

/**
 * With `--json`: `{file, backup: path|null, dryRun, imported: [{name, foundAs, from: [{host: string|null, path}], entry,
 * notes}], skipped: [{name: string|null, from: {host, path}, reason}], conflicts: [{name, as, replaced: boolean}]}`. With
 * `--dry-run`, `imported` is what would be. `entry` is without what is secret in it; a file that cannot be read is in
 * `skipped` with the name null.
 */
export function createImport(
  dependencies: McpDependencies = mcpDependencies,
): CommandModule<ImportOptions> {
  return {
    talksToServer: false,
    options: {
      ...configurationOptions,
      all: { type: "boolean", describe: "Take all of them, without asking which", default: false },
      only: {
        type: "array",
        placeholder: "<name,…>",
        describe: "Take these alone, without asking which",
      },
      replace: {
        type: "boolean",
        describe: "Put a server in place of another one of its name, not beside it",
        default: false,
      },
      dryRun: {
        type: "boolean",
        describe: "Show what would be done, and do nothing",
        default: false,
      },
    },
    positionals: [
      {
        name: "from",
        describe:
          "claude-desktop, claude-code, cursor, vscode, codex, windsurf, or a file (default: all of them)",
        variadic: true,
      },
    ],
    about: [
      "Takes over the servers that other programs have: it looks into their files of this user, shows each command or URL and what would be merged into which file, asks which to take, and keeps the file as it was beside it. A project's file (.mcp.json, .cursor/mcp.json, .vscode/mcp.json, .codex/config.toml) counts only when it is named.",
      "Without a terminal the servers are imported disabled. The other programs' files are only read.",
    ],
    examples: [
      ["agent mcp import", "all that is found, after a question"],
      ["agent mcp import claude-desktop cursor --dry-run", "only shows what two of them have"],
      ["agent mcp import .mcp.json --all", "a project's servers"],
    ],
    async run(options, context) {
      const only = options.only.flatMap((names) => names.split(",")).map((name) => name.trim());
      const chosen = { ...options, only: only.filter((name) => name !== "") };
      return runImport(chosen, context, dependencies);
    },
  };
}

export const importServers = createImport();
