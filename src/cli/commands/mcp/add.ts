import { openConfigurationFile } from "../../../config/edit-configuration.ts";
import { isJsonObject } from "../../../core/json.ts";
import type { Json } from "../../../core/json.ts";
import { previewServerEntry } from "../../../core/preview-server-entry.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import type { FoundServer } from "../../../hosts/host.ts";
import type { StoreKind } from "../../../profiles/profile.ts";
import type { CommandModule, GlobalOptions } from "../../command.ts";
import { chooseConfigurationFile } from "../../configuration/choose-configuration-file.ts";
import type { ChosenConfigurationFile } from "../../configuration/choose-configuration-file.ts";
import { tellChange } from "../../configuration/tell-change.ts";
import type { GatewayOutcome } from "../../configuration/tell-change.ts";
import type { Context } from "../../context.ts";
import { hasPerson } from "../../has-person.ts";
import { addOptions } from "../../mcp/add/add-options.ts";
import type { AddOptions } from "../../mcp/add/add-options.ts";
import { applyOptions } from "../../mcp/add/apply-options.ts";
import { askValues } from "../../mcp/add/ask-values.ts";
import { findServers } from "../../mcp/add/find-servers.ts";
import { readGivenServer } from "../../mcp/add/given-server.ts";
import type { GivenServer } from "../../mcp/add/given-server.ts";
import { keepAndSave } from "../../mcp/keep-and-save.ts";
import { lookAtEntry } from "../../mcp/add/look-at-entry.ts";
import { planAddition } from "../../mcp/add/plan-addition.ts";
import type { PlannedServer } from "../../mcp/add/plan-addition.ts";
import { readSnippet } from "../../mcp/add/read-snippet.ts";
import { lackNotes } from "../../mcp/lacks-here.ts";
import { mcpDependencies } from "../../mcp/mcp-dependencies.ts";
import type { McpDependencies } from "../../mcp/mcp-dependencies.ts";
import { serverEntries } from "../../mcp/server-entries.ts";
import { inLine } from "../../render/foreign-text.ts";
import { jsonText } from "../../render/json-text.ts";

export function createAdd(
  dependencies: McpDependencies = mcpDependencies,
): CommandModule<AddOptions> {
  return {
    talksToServer: false,
    options: addOptions,
    positionals: [
      {
        name: "words",
        describe: "A name, and a command behind -- or a URL; or JSON, also on stdin",
        variadic: true,
      },
    ],
    about: [
      "Puts servers into the configuration file, where all else stays as it is written. It takes what people paste: a command line, a URL, or JSON as READMEs and other programs have it, with comments, trailing commas and Markdown around it; all servers of it, or none.",
      "A secret is not written into the file: --env KEY takes the value from the environment where KEY is set (the file gets ${KEY}), else asks for it, or reads it as the first line of stdin, keeps it in the keychain, and the file gets ${secret:github/KEY} (of a server github). So does --header NAME. Placeholders in a snippet (YOUR_API_KEY) are asked for on a terminal. A server that lacks a variable or a secret here is written down disabled, and agent mcp enable takes it once that is there.",
    ],
    examples: [
      [
        "agent mcp add fs -- npx -y @modelcontextprotocol/server-filesystem .",
        "a program, which starts in this folder",
      ],
      [
        "agent mcp add linear https://mcp.linear.app/mcp --header Authorization",
        "a remote server; its token is asked for",
      ],
      [
        "op read op://dev/github/token | agent mcp add github --env GITHUB_TOKEN -- gh-mcp",
        "its secret from a pipe",
      ],
      [
        "agent mcp add github --env GITHUB_TOKEN --replace",
        "another secret for a server that is there",
      ],
      ["pbpaste | agent mcp add", "the JSON in the clipboard (macOS)"],
    ],
    /**
     * With `--json`: `{file, dryRun, gateway: "applied"|"refused"|"unknown"|"not running"|null, servers: [{name, outcome: "added"|"replaced"|"unchanged", entry, secrets: [name],
     * notes: [sentence]}]}`; `entry` as it is in the file, without the secrets in it; `secrets` are those that were
     * kept, or with `--dry-run` would be asked for; `gateway` is what the running one made of the file.
     */
    async run(options, context) {
      const given = readGivenServer(options.words);
      const chosen = await chooseConfigurationFile(options, context, dependencies);
      const opened = await openConfigurationFile(chosen.file);
      const folder = dependencies.folder();
      const entries = serverEntries(opened.value);
      const present = presentServer(given, entries, options);
      const found =
        present === undefined
          ? await findServers(
              given.kind === "nothing"
                ? { kind: "snippet", name: given.name, text: await readSnippet(context) }
                : given,
              { cwd: options.cwd === undefined ? folder : undefined, type: options.type },
            )
          : [present];
      const prepared = applyOptions(found, options, { variables: context.environment.all, folder });
      const kept = await (await dependencies.openSecrets(context)).names();
      const canAsk = hasPerson(context) && !options.dryRun;
      const looked = prepared.map((server) => lookAtEntry(server, { kept, canAsk }));
      const planned = planAddition(looked, entries, {
        machine: { environment: context.environment.all, kept },
        replace: options.replace,
        options,
      });
      if (options.dryRun) return tell(planned, chosen, options, context);

      const { servers, values } = await askValues(planned, context);
      const changed = servers.filter(({ outcome }) => outcome !== "unchanged");
      const before = opened.value;
      await keepAndSave(
        opened,
        changed,
        { values, store: storeOf(options.store) },
        context,
        dependencies,
      );
      const isChanged = opened.value !== before;
      const gateway = await tellChange(chosen, opened, context, { isChanged, dependencies });
      await tell(servers, chosen, options, context, gateway);
      if (!isChanged && values.size > 0 && chosen.gatewayRuns) {
        context.io.note("The running gateway has the earlier secret until agent serve --restart");
      }
    },
  };
}

export const add = createAdd();

/** `--replace` with a name and options alone: the server as it is in the file, to which they are added. */
function presentServer(
  given: GivenServer,
  entries: ReadonlyMap<string, Json>,
  { replace, env, header, tag, type, cwd, disabled }: AddOptions,
): FoundServer | undefined {
  if (!replace || given.kind !== "nothing" || given.name === undefined) return undefined;
  const entry = entries.get(given.name);
  const isChanged =
    disabled || [type, cwd, ...env, ...header, ...tag].some((option) => option !== undefined);
  return isChanged && isJsonObject(entry) ? { name: given.name, entry, notes: [] } : undefined;
}

async function tell(
  servers: readonly PlannedServer[],
  { file }: ChosenConfigurationFile,
  { format, dryRun, disabled }: AddOptions & GlobalOptions,
  { io }: Context,
  gateway: GatewayOutcome | null = null,
): Promise<void> {
  const shown = servers.map((server) => ({
    name: server.name,
    outcome: server.outcome,
    entry: previewServerEntry(server.entry),
    secrets: server.wanted.map((secret) => secret.name),
    notes: [...server.notes, ...notesOfState(server, disabled)],
  }));
  if (format === "json") await io.out(jsonText({ file, dryRun, gateway, servers: shown }, io));
  else {
    const lines = shown.map(({ name, outcome, entry }) => {
      const line = inLine(sentence(name, outcome, dryRun), io, 200);
      return dryRun && outcome !== "unchanged" ? `${line}:\n${jsonText(entry, io)}` : `${line}\n`;
    });
    await io.out(lines.join(""));
  }
  for (const { name, notes } of shown) {
    for (const note of notes) io.note(`${inLine(name, io, 100)}: ${inLine(note, io, 500)}`);
  }
}

/** Why it is disabled, where nobody said that it shall be, and the way out. */
function notesOfState(
  { name, outcome, entry, lacks }: PlannedServer,
  isMeant: boolean,
): readonly string[] {
  if (lacks.length > 0) return lackNotes(name, lacks);
  if (isMeant || outcome === "unchanged" || entry["disabled"] !== true) return [];
  return [`it is disabled: agent mcp enable ${quoteForShell(name)}`];
}

function sentence(name: string, outcome: PlannedServer["outcome"], dryRun: boolean): string {
  if (outcome === "unchanged") return `Server ${name} is there already`;
  if (dryRun) return `Server ${name} would be ${outcome}`;
  return `${outcome === "added" ? "Added" : "Replaced"} ${name}`;
}

/** The choices of the option. */
function storeOf(text: string | undefined): StoreKind | undefined {
  return text === "keychain" || text === "file" ? text : undefined;
}
