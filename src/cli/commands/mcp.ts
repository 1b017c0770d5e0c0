import { withAdministration } from "../administration/administration-access.ts";
import { checkedName } from "../administration/checked-id.ts";
import type { JsonObject } from "../../core/json.ts";
import { keepSecretCommand, secretReference } from "../../core/secret-reference.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import type { CommandModule } from "../command.ts";
import { awaitConfiguration } from "../configuration/await-configuration.ts";
import type { ConfigurationVerdict } from "../configuration/await-configuration.ts";
import { warnOfRefusal } from "../configuration/tell-change.ts";
import type { Context } from "../context.ts";
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
      "Secrets that were removed with the server are not brought back: it is disabled then, and each command that gives one is named.",
      "agent history --entity server shows what changed; a restored entry is a change like any other in it.",
    ],
    examples: [["agent mcp restore files", "undo the last change to the server files"]],
    /**
     * With `--json`: `{restored, from, missingSecrets: [name], fingerprint, gateway: "applied"|"refused"|"unknown"}`,
     * from as in `agent history`; `gateway` is what it made of the file. With missing secrets the entry is disabled.
     */
    async run(options, context) {
      const name = checkedName("<server>", options.server);
      const { answer, verdict } = await withAdministration(
        options,
        context,
        dependencies,
        async (client) => {
          const restoredServer = await client.restoreServer(name);
          const { fingerprint } = restoredServer;
          const outcome: ConfigurationVerdict =
            typeof fingerprint === "string"
              ? await awaitConfiguration(
                  () => client.configuration(),
                  { fingerprint },
                  context.deadline.signal,
                )
              : { kind: "unknown" };
          return { answer: restoredServer, verdict: outcome };
        },
      );
      const { io } = context;
      const { restored, from, missingSecrets = [] } = answer;
      const but = missingSecrets.length === 0 ? "" : ", but disabled";
      await io.out(
        options.format === "json"
          ? jsonText({ ...answer, missingSecrets, gateway: verdict.kind }, io)
          : `Server ${inLine(restored, io, 100)} is again as it was before ${shownTime(Date.parse(from.time))}${but}\n`,
      );
      if (missingSecrets.length > 0) tellMissing(restored, missingSecrets, from.before, io);
      if (verdict.kind === "refused") warnOfRefusal(verdict.problem, io);
    },
  };
}

export const restore = createRestore();

/** Each secret that has to be given again, how, and what turns the server on then. */
function tellMissing(
  server: string,
  missing: readonly string[],
  entry: JsonObject | null,
  io: Context["io"],
): void {
  for (const secret of missing) {
    const place = ["env", "headers"].find((key) =>
      JSON.stringify(entry?.[key] ?? null).includes(secretReference(secret)),
    );
    const command = keepSecretCommand(secret, place, server);
    io.note(
      `The secret ${inLine(secret, io, 200)} is not kept any more: ${inLine(command, io, 300)}`,
      { always: true },
    );
  }
  io.note(`hint: agent mcp enable ${inLine(quoteForShell(server), io, 200)}, once that is done`, {
    always: true,
  });
}
