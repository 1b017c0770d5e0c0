import { existsSync, realpathSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { homeOf } from "../../config/home-of.ts";
import { removeEmptyFolders } from "../../config/replace-file.ts";
import { AppError } from "../../core/errors.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { oneLine } from "../../core/terminal-text.ts";
import type { Machine } from "../../hosts/host.ts";
import { instructionText } from "../../hosts/instruction-file.ts";
import { putChange, undoChange } from "../../hosts/setup-change.ts";
import type { SetupChange } from "../../hosts/setup-change.ts";
import { setupFile } from "../../hosts/setup-client.ts";
import type { SetupFile, SetupTarget } from "../../hosts/setup-client.ts";
import type { SetupEditor } from "../../hosts/setup-editor.ts";
import { isInstalled, proxyCommand } from "../../hosts/setup-entry.ts";
import type { OwnProgram } from "../../hosts/setup-entry.ts";
import { openSetupFile } from "../../hosts/setup-file.ts";
import type { OpenSetupFile } from "../../hosts/setup-file.ts";
import { emptyRecord, readSetupRecord, writeSetupRecord } from "../../hosts/setup-record.ts";
import { askYesNo } from "../ask-line.ts";
import { shownWord } from "../shown-word.ts";
import type { GlobalOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { shellPath } from "../doctor/shell-path.ts";
import { hasPerson } from "../has-person.ts";
import { jsonText } from "../render/json-text.ts";
import { maskedText } from "./masked-text.ts";
import { otherPlaces } from "./other-places.ts";
import { passedOn } from "./passed-on.ts";
import type { PassedOptions } from "./passed-on.ts";

export interface SetupOptions extends SetupTarget, PassedOptions {
  name?: string | undefined;
  undo: boolean;
  dryRun: boolean;
  yes: boolean;
}

/** What setup needs of the machine it runs on; a test hands in another one. */
export interface SetupSurroundings {
  machine: Machine;
  /** Where project files belong. */
  folder: string;
  program: OwnProgram;
}

export function surroundingsOf({ environment }: Context): SetupSurroundings {
  const script = process.argv[1] ?? "";
  return {
    machine: {
      platform: process.platform,
      home: resolve(homeOf(environment)),
      environment: environment.all,
    },
    folder: process.cwd(),
    program: { node: process.execPath, script: realpathSync(script) },
  };
}

/** Shows what changes in a client's file, asks, and writes it. */
export async function runSetup(
  options: SetupOptions & GlobalOptions,
  context: Context,
  { machine, folder, program }: SetupSurroundings,
): Promise<void> {
  const name = entryName(options);
  checkMode(options);
  const place = setupFile(options, machine, folder);
  const words = passedOn(options, context);
  const { editor, own } = await partOf(options, place, name, words, machine, program);
  const file = await openSetupFile(place.path, place.root, options.scope === "user");
  const state = context.directories.state;
  const record = (await readSetupRecord(state, file.path)) ?? emptyRecord;
  const change = (options.undo ? undoChange : putChange)(editor, file.text, name, record);
  if (change.kind === "foreign") throw foreign(options, place, name, change);
  const diff = change.kind === "none" ? "" : await diffOf(file, place, change.after, own);
  if (change.kind === "change" && !options.dryRun) {
    if (!(await isMeant(diff, options, place, context))) {
      context.io.note("Nothing was changed", { always: true });
      return;
    }
    const made = await file.save(change.after);
    await removeEmptyFolders(foldersToRemove(change, place, file));
    await remember(state, file.path, change, made, context);
  }
  const { client, scope, way } = options;
  const changed = change.kind === "change" && !options.dryRun;
  if (options.format === "json") {
    const result = { client, scope, way, file: file.path, changed };
    await context.io.out(jsonText({ ...result, ...(diff === "" ? {} : { diff }) }, context.io));
    return;
  }
  const isShown = options.yes || options.dryRun;
  if (isShown && diff !== "") await context.io.out(context.io.foreign(diff));
  const shown = shellPath(file.path, machine.home);
  await context.io.out(`${context.io.foreign(outcome(options, change, shown))}\n`);
  if (options.undo && change.kind === "none") {
    const ours = (target: SetupTarget): Promise<string | undefined> =>
      placeOfOurs({ ...options, ...target }, name, { machine, folder, program });
    for (const note of await otherPlaces(options, ours)) context.io.note(note);
  }
  if (changed && !options.undo) {
    context.io.note(place.afterwards);
    if (isOverridden(place, file)) {
      context.io.note("AGENTS.override.md stands beside it, and Codex reads that one alone");
    }
    if (way === "mcp" && usesNpx(options, program)) context.io.note(npxNote(options, program));
  }
  if (!options.undo && !options.dryRun) {
    const { nextSteps } = await import("./next-steps.ts");
    const serverFile = serverFileOf(options, machine, folder);
    const steps = await nextSteps({ ...options, serverFile }, context, machine);
    for (const step of steps) context.io.note(step);
  }
}

/** @throws AppError `usage` */
function checkMode({ mode, way }: SetupOptions): void {
  if (mode === undefined || way === "mcp") return;
  throw new AppError("usage", "--mode is of agent proxy, which --way cli does not start", {
    hint: "Leave out --mode, or --way cli",
  });
}

/** Where the client keeps its servers, whatever way it is set up. */
function serverFileOf(
  { client, scope }: SetupOptions,
  machine: Machine,
  folder: string,
): string | undefined {
  try {
    return setupFile({ client, scope, way: "mcp" }, machine, folder).path;
  } catch (error) {
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** The file in which what setup writes for this target stands; undefined where it does not. */
async function placeOfOurs(
  options: SetupOptions & GlobalOptions,
  name: string,
  { machine, folder, program }: SetupSurroundings,
): Promise<string | undefined> {
  try {
    const place = setupFile(options, machine, folder);
    const { text, path } = await openSetupFile(place.path, place.root, false);
    if (text === undefined) return undefined;
    const { editor } = await partOf(options, place, name, [], machine, program);
    return editor.find(text) === "ours" ? shellPath(path, machine.home) : undefined;
  } catch (error) {
    // No such file of this client, or none that could be edited.
    if (error instanceof AppError) return undefined;
    throw error;
  }
}

/** @throws AppError `usage` */
function entryName({ name, way }: SetupOptions): string {
  if (name === undefined) return "onedoor";
  if (way === "cli") {
    throw new AppError(
      "usage",
      "--name is of an entry in a client's MCP file, which --way cli has not",
    );
  }
  if (/^[A-Za-z0-9_-]{1,64}$/u.test(name)) return name;
  const message = "--name takes letters, digits, - and _, 64 at most";
  throw new AppError("usage", message, { hint: "--name onedoor" });
}

interface SetupPart {
  editor: SetupEditor;
  /** The values in it that may be shown. */
  own: ReadonlySet<string>;
}

/** Loads what edits this form of file, and no other. */
async function partOf(
  options: SetupOptions,
  { path, form }: SetupFile,
  name: string,
  words: readonly string[],
  { platform }: Machine,
  program: OwnProgram,
): Promise<SetupPart> {
  if (form.kind === "block" || form.kind === "document") {
    const { blockEditor, documentEditor } = await import("../../hosts/write-instructions.ts");
    const text = instructionText(words.map(quoteForShell));
    return {
      editor: form.kind === "block" ? blockEditor(path, text) : documentEditor(form.head + text),
      own: new Set(),
    };
  }
  const isByNpx = usesNpx(options, program);
  if (isByNpx && platform === "win32" && words.some((word) => /[&|<>^%"!]/u.test(word))) {
    const message = "An option has a character in it that cmd would act on";
    throw new AppError("usage", message, {
      hint: "write and, or, not in a filter, or --scope user",
    });
  }
  const command = proxyCommand(isByNpx ? undefined : program, words, platform);
  const own = new Set([command.command, ...command.args]);
  if (form.kind === "toml") {
    const { tomlEntryEditor } = await import("../../hosts/write-toml-entry.ts");
    return { editor: tomlEntryEditor(path, name, command), own };
  }
  const { jsonEntryEditor } = await import("../../hosts/write-json-entry.ts");
  const entry = { ...(form.hasType ? { type: "stdio" } : {}), ...command };
  return { editor: jsonEntryEditor(path, form.key, name, entry), own: own.add("stdio") };
}

/** https://developers.openai.com/codex/guides/agents-md: of the two files in a folder the first counts. */
function isOverridden({ form }: SetupFile, { path }: OpenSetupFile): boolean {
  return form.kind === "block" && existsSync(join(dirname(path), "AGENTS.override.md"));
}

function usesNpx({ scope }: SetupOptions, program: OwnProgram): boolean {
  return scope === "project" || !isInstalled(program);
}

function npxNote({ scope }: SetupOptions, program: OwnProgram): string {
  return scope === "user" && !isInstalled(program)
    ? "The entry starts npx, which the client must find: npm install --global @onedoor/agent, and setup again, makes it independent of that"
    : "Each user signs in once for themselves: agent auth login";
}

function foreign(
  options: SetupOptions,
  { path, form }: SetupFile,
  name: string,
  { strange = {}, isMarked = false }: Extract<SetupChange, { kind: "foreign" }>,
): AppError {
  const file = quoteForShell(path);
  if (isMarked) {
    return new AppError(
      "config_invalid",
      `${file} has our marks around words that agent setup does not write; it stays as it is`,
      { hint: "take out by hand what is not yours" },
    );
  }
  if (form.kind === "document" || form.kind === "block") {
    return new AppError(
      "config_invalid",
      `${file} was not written by agent setup and stays as it is`,
      {
        hint: "move it away, and try again",
      },
    );
  }
  const members = Object.entries(strange).map(
    ([key, value]) => `${shownWord(key)}: ${oneLine(JSON.stringify(value), 500)}`,
  );
  if (members.length > 0) {
    return new AppError(
      "config_invalid",
      `${file} has an entry ${name} with what agent setup does not write: ${members.slice(0, 10).join(", ")}; it stays as it is`,
      {
        hint: `take that out by hand, or: agent setup ${options.client} --scope ${options.scope} --name ${name}-gateway`,
      },
    );
  }
  const message = `${file} has an entry ${name} that does not start agent proxy; it stays as it is`;
  const hint = options.undo
    ? "--name is the name of the entry to undo"
    : `agent setup ${options.client} --scope ${options.scope} --name ${name}-gateway`;
  return new AppError("config_invalid", message, { hint });
}

async function diffOf(
  file: OpenSetupFile,
  { form }: SetupFile,
  after: string | undefined,
  own: ReadonlySet<string>,
): Promise<string> {
  const { shownDiff } = await import("./shown-diff.ts");
  const masked = (text: string | undefined): string | undefined =>
    text === undefined ? undefined : maskedText(text, form, own);
  return shownDiff(file.path, masked(file.text), masked(after));
}

/** @throws AppError `usage` where there is nobody to ask */
async function isMeant(
  diff: string,
  { yes, json, quiet, undo }: SetupOptions & GlobalOptions,
  { path }: SetupFile,
  context: Context,
): Promise<boolean> {
  if (yes) return true;
  if (json || quiet || !hasPerson(context)) {
    const message = `${quoteForShell(path)} would be changed, and nobody is there to be asked`;
    throw new AppError("usage", message, { hint: "--dry-run shows the change, --yes makes it" });
  }
  await context.io.out(context.io.foreign(diff));
  return askYesNo(undo ? "Take it out?" : "Write it?", true, context);
}

function foldersToRemove(
  change: SetupChange,
  { form }: SetupFile,
  { path }: OpenSetupFile,
): readonly string[] {
  if (change.kind !== "change" || change.after !== undefined) return [];
  if (change.folders.length > 0) return change.folders;
  // A folder of our name is ours, whoever made it.
  const folder = dirname(path);
  return form.kind === "document" && basename(folder) === "onedoor" ? [folder] : [];
}

/** What cannot be remembered costs the way back to the very bytes, and no more. */
async function remember(
  state: string,
  file: string,
  change: SetupChange,
  made: readonly string[],
  { io }: Context,
): Promise<void> {
  if (change.kind !== "change") return;
  const { record } = change;
  const folders = [...(record?.madeFolders ?? []), ...made];
  try {
    await writeSetupRecord(state, file, record && { ...record, madeFolders: folders });
  } catch {
    io.note(
      "What was there before could not be noted: --undo will take out the entry, and no more",
    );
  }
}

/** @param file as it is shown */
function outcome(options: SetupOptions, { kind }: SetupChange, file: string): string {
  const { client, undo, dryRun } = options;
  if (kind === "none") {
    return undo ? `There is nothing to undo in ${file}` : `${client} is set up already, in ${file}`;
  }
  if (dryRun) return `Nothing was changed; without --dry-run, ${file} would be`;
  return undo ? `Took out of ${file} what setup wrote` : `Set up ${client} in ${file}`;
}
