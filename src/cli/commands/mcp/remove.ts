import { openConfigurationFile } from "../../../config/edit-configuration.ts";
import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import { askYesNo } from "../../ask-line.ts";
import type { CommandModule } from "../../command.ts";
import { chooseConfigurationFile } from "../../configuration/choose-configuration-file.ts";
import { configurationOptions } from "../../configuration/configuration-options.ts";
import { isInEffect } from "../../configuration/is-in-effect.ts";
import { tellChange } from "../../configuration/tell-change.ts";
import type { Context } from "../../context.ts";
import { hasPerson } from "../../has-person.ts";
import { backUpFile } from "../../mcp/import/back-up-file.ts";
import { mcpDependencies } from "../../mcp/mcp-dependencies.ts";
import type { McpDependencies } from "../../mcp/mcp-dependencies.ts";
import { ownSecrets } from "../../mcp/own-secrets.ts";
import { checkThere, serverEntries } from "../../mcp/server-entries.ts";
import { inLine } from "../../render/foreign-text.ts";
import { jsonText } from "../../render/json-text.ts";

interface RemoveOptions {
  config?: string | undefined;
  yes: boolean;
  name: readonly string[];
}

export function createRemove(
  dependencies: Pick<McpDependencies, "readRuntimeFile" | "openSecrets"> = mcpDependencies,
): CommandModule<RemoveOptions> {
  return {
    talksToServer: false,
    options: {
      ...configurationOptions,
      yes: { type: "boolean", alias: "y", describe: "Do not ask" },
    },
    positionals: [{ name: "name", describe: "The server's name", required: true, variadic: true }],
    about: [
      "Takes servers out of the configuration file, with the secrets that agent mcp add kept for them and that no other server uses. On a terminal it asks first.",
      "A gateway that runs remembers the entry: agent mcp restore brings it back, without those secrets. Where none does, the file as it was is kept beside it.",
    ],
    examples: [
      ["agent mcp remove files", "on a terminal, after a question"],
      ["agent mcp remove files web --yes", "two, without a question"],
    ],
    /**
     * With `--json`: `{file, removed: [name], secretsRemoved: [name of the secret], secretsLeft: [name of the secret],
     * backup: file|null, gateway: "applied"|"refused"|"unknown"|"not running"}`; those of `secretsLeft` could not be
     * removed from where they are kept, and the exit code is 1 then.
     */
    async run(options, context) {
      const { io } = context;
      const chosen = await chooseConfigurationFile(options, context, dependencies);
      const opened = await openConfigurationFile(chosen.file);
      const entries = serverEntries(opened.value);
      const names = [...new Set(options.name)];
      checkThere(names, entries, chosen.file);
      if (!(await isMeant(names, options, context))) {
        io.note("Nothing was removed", { always: true });
        return 0;
      }
      const isRemembered = await isInEffect(chosen, opened, context, dependencies);
      const backup = isRemembered ? null : await backUpFile(chosen.file, context.now());
      await opened.save(names.map((name) => ({ path: ["mcpServers", name], value: undefined })));
      const others = [opened.value];
      const secrets = await removeSecrets(names, others, context, dependencies);
      const gateway = await tellChange(chosen, opened, context, { dependencies });
      if (options.format === "json") {
        const { removed: secretsRemoved, left: secretsLeft } = secrets;
        await io.out(
          jsonText(
            { file: chosen.file, removed: names, secretsRemoved, secretsLeft, backup, gateway },
            io,
          ),
        );
      } else {
        await io.out(names.map((name) => `Removed ${inLine(name, io, 100)}\n`).join(""));
      }
      if (backup === null) {
        const [first = ""] = names;
        io.note(`To bring it back: agent mcp restore ${quoteForShell(first)}`);
      } else io.note(`The file as it was: ${quoteForShell(backup)}`);
      return secrets.left.length === 0 ? 0 : 1;
    },
  };
}

export const remove = createRemove();

async function isMeant(
  names: readonly string[],
  { yes }: RemoveOptions,
  context: Context,
): Promise<boolean> {
  if (yes || !hasPerson(context)) return true;
  const what = names.map((name) => quoteForShell(name)).join(", ");
  return askYesNo(`Remove ${what}?`, false, context);
}

/** The servers are gone by now: what cannot be removed is named, and keeps nothing up. */
async function removeSecrets(
  names: readonly string[],
  others: Parameters<typeof ownSecrets>[2],
  context: Context,
  dependencies: Pick<McpDependencies, "openSecrets">,
): Promise<{ removed: string[]; left: string[] }> {
  const result: { removed: string[]; left: string[] } = { removed: [], left: [] };
  const secrets = await dependencies.openSecrets(context);
  const kept = await secrets.names();
  for (const secret of new Set(names.flatMap((name) => ownSecrets(name, kept, others)))) {
    try {
      if (await secrets.remove(secret)) result.removed.push(secret);
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      result.left.push(secret);
      const more = error.hint === undefined ? "" : ` (${error.hint})`;
      context.io.note(`Its secret ${secret} stays: ${error.message}${more}`, { always: true });
    }
  }
  const { length } = result.removed;
  if (length > 0) {
    const what = length === 1 ? "secret" : "secrets";
    context.io.note(`Removed ${length} ${what} with it: ${result.removed.join(", ")}`);
  }
  return result;
}
