import { unlink } from "node:fs/promises";
import { openConfigurationFile } from "../../../config/edit-configuration.ts";
import type { OpenConfiguration } from "../../../config/edit-configuration.ts";
import { homeOf } from "../../../config/home-of.ts";
import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import { closest } from "../../../core/suggest.ts";
import { oneLine } from "../../../core/terminal-text.ts";
import type { Machine } from "../../../hosts/host.ts";
import { hostNames } from "../../../hosts/host-files.ts";
import { readHostFile } from "../../../hosts/read-host-file.ts";
import type { GlobalOptions } from "../../command.ts";
import { chooseConfigurationFile } from "../../configuration/choose-configuration-file.ts";
import { tellChange } from "../../configuration/tell-change.ts";
import type { Context } from "../../context.ts";
import { hasPerson } from "../../has-person.ts";
import { jsonText } from "../../render/json-text.ts";
import { runningGateway } from "../../running-gateway.ts";
import { shownWord } from "../../shown-word.ts";
import { keepAndSave } from "../keep-and-save.ts";
import { lacksHere } from "../lacks-here.ts";
import type { McpDependencies } from "../mcp-dependencies.ts";
import { hasSecretInLine } from "../secret-values.ts";
import { serverEntries } from "../server-entries.ts";
import { askSecrets, askWhich } from "./ask-import.ts";
import { backUpFile } from "./back-up-file.ts";
import { findSources } from "./find-sources.ts";
import type { Source } from "./find-sources.ts";
import { planImport } from "./import-plan.ts";
import type { ImportCandidate, ImportPlan, ReadSource, SkippedCandidate } from "./import-plan.ts";
import { plainSecrets } from "./plain-secrets.ts";
import { shownFile, shownPlan } from "./shown-plan.ts";
import { importAsJson, toldImport } from "./told-import.ts";
import type { DoneImport, UnreadFile } from "./told-import.ts";

export interface ImportOptions {
  config?: string | undefined;
  from: readonly string[];
  all: boolean;
  only: readonly string[];
  replace: boolean;
  dryRun: boolean;
}

/** `agent mcp import`; the exit code is 1 where a file that was named cannot be read. */
export async function runImport(
  options: ImportOptions & GlobalOptions,
  context: Context,
  dependencies: McpDependencies,
): Promise<number> {
  if (options.all && options.only.length > 0) {
    throw new AppError("usage", "--all and --only exclude each other");
  }
  const { io } = context;
  const isJson = options.format === "json";
  const chosen = await chooseConfigurationFile(options, context, dependencies);
  const { file } = chosen;
  const opened = await openConfigurationFile(file);
  const machine = machineOf(context);
  const sources = await findSources(options.from, machine, dependencies.folder());
  const { read, unread, absent } = await readSources(sources, machine, context);
  const gateway = await runningGateway(context, dependencies);
  const plan = planImport(read, {
    existing: serverEntries(opened.value),
    replace: options.replace,
    environment: context.environment.all,
    gatewayUrl: gateway?.url,
  });
  const wanted = options.only.length === 0 ? plan.candidates : onlyThose(plan, options.only);
  const exitCode = unread.some(({ source }) => source.isNamed) ? 1 : 0;
  const isAsked = hasPerson(context) && !options.dryRun && wanted.length > 0;
  // What somebody is asked about has to be seen, wherever the result goes.
  const report: string[] = [];
  const say = (line: string): void => {
    if (isAsked) io.note(line, { always: true });
    else if (!isJson) report.push(line);
  };
  const shown = { candidates: wanted, skipped: plan.skipped };
  for (const line of shownPlan(shown, file)) say(line);
  for (const { source, reason } of unread) say(`${shownFile(source.file)} ${reason}; skipped`);
  if (plan.candidates.length === 0) say(nothingFound(read.length, absent));

  const result = options.dryRun
    ? { servers: wanted, values: new Map<string, string>(), skipped: [] }
    : await answered(wanted, { options, isAsked }, context, dependencies);
  let backup: string | null = null;
  if (!options.dryRun && result.servers.length > 0) {
    backup = await save(opened, result, context, dependencies);
  }
  const isSaved = !options.dryRun && result.servers.length > 0;
  const outcome = isSaved ? await tellChange(chosen, opened, context, { dependencies }) : null;
  for (const { name, reason } of result.skipped) {
    report.push(oneLine(`Skipped ${quoteForShell(name)}: ${reason}`));
  }
  if (isJson) {
    const done = { ...result, skipped: [...plan.skipped, ...result.skipped] };
    const shownResult = importAsJson(file, backup, done, unread, options);
    await io.out(jsonText({ ...shownResult, gateway: outcome }, io));
  } else {
    report.push(...toldImport(result.servers, { options, isAsked, backup }));
    await io.out(report.map((line) => `${io.foreign(line)}\n`).join(""));
  }
  if (isSaved) warnOfPlainSecrets(result.servers, file, context);
  return exitCode;
}

function machineOf({ environment }: Context): Machine {
  return { platform: process.platform, home: homeOf(environment), environment: environment.all };
}

async function readSources(
  sources: readonly Source[],
  machine: Machine,
  { io }: Context,
): Promise<{ read: ReadSource[]; unread: UnreadFile[]; absent: number }> {
  const read: ReadSource[] = [];
  const unread: UnreadFile[] = [];
  let absent = 0;
  for (const source of sources) {
    const { file } = source;
    const content = await readHostFile(file, machine);
    if (content.kind === "unreadable") unread.push({ source, reason: content.reason });
    else if (content.kind === "absent") absent += 1;
    else {
      if (content.linkedTo !== undefined) {
        io.note(`${shownFile(file)} is a link to ${quoteForShell(content.linkedTo)}`);
      }
      read.push({ file, ...content.found });
    }
  }
  return { read, unread, absent };
}

function nothingFound(files: number, absent: number): string {
  if (files > 0) return "Nothing to import: no server there that is not in the configuration yet";
  const looked = absent === 0 ? "" : `; looked for ${Object.values(hostNames).join(", ")}`;
  return `Nothing to import: no file of another program${looked}`;
}

/** @throws AppError `not_found` */
function onlyThose(
  { candidates, skipped }: ImportPlan,
  names: readonly string[],
): ImportCandidate[] {
  const wanted = new Set<ImportCandidate>();
  for (const name of names) {
    const found = candidates.filter((each) => each.name === name || each.foundAs === name);
    const exact = found.filter((each) => each.name === name);
    for (const each of exact.length > 0 ? exact : found) wanted.add(each);
    if (found.length > 0) continue;
    const why = skipped.find((each) => each.name === name)?.reason;
    if (why !== undefined) {
      throw new AppError("not_found", `The server ${shownWord(name)} cannot be imported: ${why}`);
    }
    const near = closest(
      name,
      candidates.map((each) => each.name),
    );
    throw new AppError("not_found", `No server ${shownWord(name)} was found`, {
      hint:
        near === undefined ? "agent mcp import --dry-run" : `did you mean ${quoteForShell(near)}?`,
    });
  }
  return candidates.filter((each) => wanted.has(each));
}

function skip(server: ImportCandidate, reason: string): SkippedCandidate[] {
  const [from] = server.from;
  return from === undefined ? [] : [{ name: server.name, reason, from }];
}

async function answered(
  wanted: readonly ImportCandidate[],
  { options, isAsked }: { options: ImportOptions; isAsked: boolean },
  context: Context,
  dependencies: McpDependencies,
): Promise<DoneImport> {
  const none: DoneImport = { servers: [], values: new Map(), skipped: [] };
  if (wanted.length === 0) return none;
  const kept = await (await dependencies.openSecrets(context)).names();
  if (!isAsked) {
    // Nobody has looked at what would be started.
    const servers = wanted.map((server): ImportCandidate => {
      const entry = { ...server.entry, disabled: true };
      const machine = { environment: context.environment.all, kept };
      return { ...server, entry, lacks: lacksHere(server.name, entry, machine) };
    });
    return { ...none, servers };
  }
  const { withHiddenInput } = await import("../../hidden-input.ts");
  return withHiddenInput(context, async (ask) => {
    const isChosen = options.all || options.only.length > 0;
    const chosen = isChosen ? wanted : await askWhich(wanted, ask);
    const { servers, values, unanswered } = await askSecrets(chosen, kept, ask);
    const skipped = unanswered.flatMap((server) => skip(server, "a secret of it was not given"));
    return { servers, values, skipped };
  });
}

/** @returns where the file as it was is kept; null where there was none */
async function save(
  opened: OpenConfiguration,
  { servers, values }: DoneImport,
  context: Context,
  dependencies: McpDependencies,
): Promise<string | null> {
  const backup = opened.exists ? await backUpFile(opened.file, context.now()) : null;
  try {
    await keepAndSave(opened, servers, { values, store: undefined }, context, dependencies);
  } catch (error) {
    if (backup !== null) await unlink(backup).catch(() => undefined);
    throw error;
  }
  return backup;
}

function warnOfPlainSecrets(
  servers: readonly ImportCandidate[],
  file: string,
  { io }: Context,
): void {
  const names = servers.flatMap(({ name, entry }) => [
    ...plainSecrets(name, entry).map((each) => each.name),
    ...(hasSecretInLine(entry) ? [`the command line or URL of ${quoteForShell(name)}`] : []),
  ]);
  if (names.length === 0) return;
  const line = `${quoteForShell(file)} holds secrets as they were: ${names.join(", ")}`;
  io.note(oneLine(line, 2_000), { always: true });
}
