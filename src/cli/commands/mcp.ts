import { withAdministration } from "../administration/administration-access.ts";
import { checkedName } from "../administration/checked-id.ts";
import type { CommandModule } from "../command.ts";
import { inLine } from "../render/foreign-text.ts";
import { jsonText } from "../render/json-text.ts";
import { authDependencies } from "../sign-in/dependencies.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";
import { shownTime } from "../render/shown-time.ts";

export function createRestore(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<{ server: string }> {
  return {
    talksToServer: true,
    options: {},
    positionals: [{ name: "server", describe: "The server's name", required: true }],
    about: [
      "Writes the newest earlier entry of a server that differs from the present one, or, of a removed server, the entry it had, back into the configuration file of the gateway, which takes it up by itself. Comments in the file stay.",
      "agent history --entity server shows what changed; a restored entry is a change like any other in it.",
    ],
    examples: [["agent mcp restore files", "undo the last change to the server files"]],
    /** With `--json`: `{restored, from}`, from as in `agent history`. */
    async run(options, context) {
      const name = checkedName("<server>", options.server);
      const answer = await withAdministration(options, context, dependencies, (client) =>
        client.restoreServer(name),
      );
      const { io } = context;
      const { restored, from } = answer;
      await io.out(
        options.format === "json"
          ? jsonText(answer, io)
          : `Server ${inLine(restored, io, 100)} is again as it was before ${shownTime(Date.parse(from.time))}\n`,
      );
    },
  };
}

export const restore = createRestore();
