import { setupClients, setupScopes, setupWays } from "../../hosts/setup-client.ts";
import type { CommandModule } from "../command.ts";
import type { Context } from "../context.ts";
import { selectionOptions } from "../options.ts";
import type { SetupOptions, SetupSurroundings } from "../setup/run-setup.ts";

/** @param surroundings what a test has in place of this machine */
export function createSetup(
  surroundings?: (context: Context) => SetupSurroundings,
): CommandModule<SetupOptions> {
  return {
    talksToServer: false,
    positionals: [
      {
        name: "client",
        describe: "Whom to set up; claude is Claude Code",
        required: true,
        choices: setupClients,
      },
    ],
    options: {
      scope: {
        type: "string",
        choices: setupScopes,
        default: "user",
        describe: "For you, wherever you work, or for all who work in this folder",
      },
      way: {
        type: "string",
        choices: setupWays,
        default: "mcp",
        describe: "An MCP server that starts agent proxy, or instructions to use the command line",
      },
      undo: { type: "boolean", describe: "Take out what setup wrote, and nothing else" },
      dryRun: { type: "boolean", describe: "Show the change, and make none" },
      yes: { type: "boolean", alias: "y", describe: "Do not ask" },
      name: {
        type: "string",
        placeholder: "<name>",
        describe: "Of the entry in the client's MCP file (default: onedoor)",
      },
      url: {
        type: "string",
        alias: "u",
        placeholder: "<url>",
        describe: "For another server than the running gateway",
      },
      profile: { type: "string", placeholder: "<name>", describe: "With this profile" },
      preset: selectionOptions.preset,
      tags: selectionOptions.tags,
      filter: selectionOptions.filter,
      mode: {
        type: "string",
        choices: ["discover"],
        describe:
          "discover: three tools to find, show and call the others, in place of all of them",
      },
      cacert: {
        type: "string",
        placeholder: "<file>",
        describe: "Trusting the certificate authorities in this file (PEM) as well",
      },
      insecureHttp: {
        type: "boolean",
        describe: "Over plain http to another machine, which shows the token to the network",
      },
    },
    about: [
      "Writes what a client needs to use the gateway, shows the change before, and asks. No token stands in any file of a client: agent proxy takes the saved profile. What setup did not write is never overwritten; comments and order stay.",
      "A project's entry starts npx, which everybody has; a user's starts this very program by its path.",
    ],
    examples: [
      ["agent setup claude", "Claude Code, in all your projects"],
      ["agent setup cursor --scope project --preset dev", "all who open this project in Cursor"],
      ["agent setup claude-desktop --mode discover", "three tools in place of all of them"],
      ["agent setup codex --way cli --yes", "instructions for Codex to use the command line"],
      ["agent setup vscode --undo", "and back again"],
    ],
    /** With `--json`: `{client, scope, way, file, changed, diff?}`; `diff` is there where something differs. */
    async run(options, context) {
      const { runSetup, surroundingsOf } = await import("../setup/run-setup.ts");
      await runSetup(options, context, (surroundings ?? surroundingsOf)(context));
    },
  };
}

export const command = createSetup();
