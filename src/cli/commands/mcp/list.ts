import { openConfigurationFile } from "../../../config/edit-configuration.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import type { CommandModule } from "../../command.ts";
import { chooseConfigurationFile } from "../../configuration/choose-configuration-file.ts";
import { configurationOptions } from "../../configuration/configuration-options.ts";
import type { Io } from "../../context.ts";
import { mcpDependencies } from "../../mcp/mcp-dependencies.ts";
import type { McpDependencies } from "../../mcp/mcp-dependencies.ts";
import { serverEntries } from "../../mcp/server-entries.ts";
import { shownServer } from "../../mcp/server-target.ts";
import type { ShownServer } from "../../mcp/server-target.ts";
import { fittingTable } from "../../render/fitting-table.ts";
import { inLine } from "../../render/foreign-text.ts";
import { jsonText } from "../../render/json-text.ts";

export function createList(
  dependencies: Pick<McpDependencies, "readRuntimeFile"> = mcpDependencies,
): CommandModule<{ config?: string | undefined }> {
  return {
    talksToServer: false,
    options: configurationOptions,
    about: [
      "Lists the servers that stand in the configuration file, in its order, whether a gateway runs or not; agent inspect says how they are. What is secret in a command line or a URL is not shown.",
    ],
    examples: [
      ["agent mcp list", "the servers of the running gateway's file, or of the usual one"],
      ["agent mcp list --json", "for a program"],
    ],
    /**
     * With `--json`: `{file, servers: [{name, type: string|null, target: string|null, state: "on"|"off", tags, pin}]}`;
     * `target` is the command line or the URL.
     */
    async run(options, context) {
      const { io } = context;
      const { file } = await chooseConfigurationFile(options, context, dependencies);
      const { value, exists } = await openConfigurationFile(file);
      const servers = [...serverEntries(value)].map(([name, entry]) => shownServer(name, entry));
      if (options.format === "json") await io.out(jsonText({ file, servers }, io));
      else if (servers.length > 0) await io.out(table(servers, io));
      else {
        const none = exists
          ? `No servers in ${quoteForShell(file)}`
          : `There is no ${quoteForShell(file)} yet`;
        io.note(
          `${none}; agent mcp add adds one, agent mcp import takes over what other programs have`,
          {
            always: true,
          },
        );
      }
    },
  };
}

export const list = createList();

function table(servers: readonly ShownServer[], io: Io): string {
  const shown = (text: string): string => (text === "" ? "-" : inLine(text, io, 2_000));
  const rows = servers.map(({ name, type, state, tags, pin, target }) =>
    [name, type ?? "", state, tags.join(","), pin, target ?? ""].map(shown),
  );
  return fittingTable([["NAME", "TYPE", "STATE", "TAGS", "PIN", "TARGET"], ...rows], io);
}
