import { openConfigurationFile } from "../../config/edit-configuration.ts";
import { AppError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Json } from "../../core/json.ts";
import { secretsIn } from "../../core/secret-reference.ts";
import type { CommandModule } from "../command.ts";
import { chooseConfigurationFile } from "../configuration/choose-configuration-file.ts";
import { configurationOptions } from "../configuration/configuration-options.ts";
import { tellChange } from "../configuration/tell-change.ts";
import type { Context } from "../context.ts";
import { inLine } from "../render/foreign-text.ts";
import { jsonText } from "../render/json-text.ts";
import { shownWord } from "../shown-word.ts";
import { lacksHere } from "./lacks-here.ts";
import type { McpDependencies } from "./mcp-dependencies.ts";
import { checkThere, serverEntries } from "./server-entries.ts";

interface SwitchOptions {
  config?: string | undefined;
  name: readonly string[];
}

/**
 * Makes sure that the configuration is still loaded with these servers.
 * @throws AppError `usage`, naming what one of them lacks here
 */
async function checkComplete(
  names: readonly string[],
  entries: ReadonlyMap<string, Json>,
  context: Context,
  dependencies: Pick<McpDependencies, "openSecrets">,
): Promise<void> {
  const chosen = names.flatMap((name) => {
    const entry = entries.get(name);
    return isJsonObject(entry) ? [{ name, entry }] : [];
  });
  const hasSecrets = chosen.some(({ entry }) => secretsIn(entry).length > 0);
  const kept = hasSecrets ? await (await dependencies.openSecrets(context)).names() : [];
  for (const { name, entry } of chosen) {
    const [lack, ...more] = lacksHere(name, entry, { environment: context.environment.all, kept });
    if (lack === undefined) continue;
    const others = more.length === 0 ? "" : `, and ${more.length} more`;
    throw new AppError(
      "usage",
      `Server ${shownWord(name)} cannot be enabled: ${lack.reason}${others}`,
      { hint: lack.remedy },
    );
  }
}

/** `agent mcp enable` and `agent mcp disable`: one word in the file. */
export function createSwitch(
  to: "on" | "off",
  dependencies: Pick<McpDependencies, "readRuntimeFile" | "openSecrets">,
): CommandModule<SwitchOptions> {
  const verb = to === "on" ? "enable" : "disable";
  const done = to === "on" ? "is enabled" : "is disabled";
  return {
    talksToServer: false,
    options: configurationOptions,
    positionals: [{ name: "name", describe: "The server's name", required: true, variadic: true }],
    about: [
      to === "on"
        ? "Connects to the servers again: the running gateway does so as soon as the file is saved. One that needs a variable or a secret which is not there here is refused."
        : "Keeps the servers' entries, and what was configured for them, without connecting to them.",
    ],
    examples: [[`agent mcp ${verb} files`, `the server files ${done} in the configuration file`]],
    /** With `--json`: `{file, changed: [name], unchanged: [name], gateway: "applied"|"refused"|"unknown"|"not running"}`; those of `unchanged` were so before, `gateway` is what the running one made of the file. */
    async run(options, context) {
      const { io } = context;
      const chosen = await chooseConfigurationFile(options, context, dependencies);
      const { file } = chosen;
      const opened = await openConfigurationFile(file);
      const entries = serverEntries(opened.value);
      const names = [...new Set(options.name)];
      checkThere(names, entries, file);
      const isOff = (name: string): boolean => {
        const entry = entries.get(name);
        return isJsonObject(entry) && entry["disabled"] === true;
      };
      const changed = names.filter((name) => isOff(name) === (to === "on"));
      const unchanged = names.filter((name) => !changed.includes(name));
      if (to === "on") await checkComplete(changed, entries, context, dependencies);
      // Not taken out when it is false: the comment beside it would go, and it says itself what to change.
      await opened.save(
        changed.map((name) => ({ path: ["mcpServers", name, "disabled"], value: to === "off" })),
      );
      const isChanged = changed.length > 0;
      const gateway = await tellChange(chosen, opened, context, { isChanged, dependencies });
      if (options.format === "json") {
        await io.out(jsonText({ file, changed, unchanged, gateway }, io));
        return;
      }
      const line = (name: string): string =>
        `Server ${inLine(name, io, 100)} ${changed.includes(name) ? done : `${done} already`}\n`;
      await io.out(names.map(line).join(""));
    },
  };
}
