import { approveChanges } from "../../mcp/approve/approve-changes.ts";
import type { ApproveOptions } from "../../mcp/approve/approve-changes.ts";
import type { CommandModule } from "../../command.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";

export function createApprove(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<ApproveOptions> {
  return {
    talksToServer: true,
    options: {
      all: {
        type: "boolean",
        describe: "Show everything, however long it is",
      },
      hash: {
        type: "string",
        placeholder: "<hash>",
        describe: "Approve this and nothing else, without asking",
      },
    },
    positionals: [
      {
        name: "target",
        describe: "A server, or one of its tools: <server>/<tool>; left out: show what waits",
      },
    ],
    about: [
      "Shows what a server offers that is not what it offered before, and asks whether that is to be approved. What became a write tool is withheld until then, and with pin: block everything that changed or is new.",
      "Without a terminal nothing is approved: run again with the --hash that is printed. When it has changed again by then, nothing is approved either.",
      "What is there now is never approved unseen: where it is too long to be shown, neither a question nor a hash follows; --all shows all of it.",
    ],
    examples: [
      ["agent mcp approve", "what waits, of all servers"],
      ["agent mcp approve files", "see and approve all that changed of a server"],
      ["agent mcp approve files/read_file", "one tool"],
    ],
    /**
     * With `--json`: `{server, hash: string|null, changes: [{server, tool: string|null, kind: "changed"|"new", hash,
     * before: object|null, after, becameWrite, withheld}]}` of what waits, `tool` null for the server's instructions and
     * the upper `hash` the one to approve all that is shown with; without a target an array of these; with `--hash`
     * `{server, approved: [{tool, hash}]}`. With `--json` nobody is asked.
     */
    run: (options, context) => approveChanges(options, context, dependencies),
  };
}

export const approve = createApprove();
