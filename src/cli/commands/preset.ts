import { definitionOf } from "../../client/gateway-answers.ts";
import { openConfigurationFile } from "../../config/edit-configuration.ts";
import type { Preset } from "../../core/configuration.ts";
import { AppError } from "../../core/errors.ts";
import { isJsonObject } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import { sameJson } from "../../core/same-json.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import type { CommandModule } from "../command.ts";
import { chooseConfigurationFile } from "../configuration/choose-configuration-file.ts";
import { configurationOptions } from "../configuration/configuration-options.ts";
import { tellChange } from "../configuration/tell-change.ts";
import { knownPresets, presetNamed } from "../preset/known-presets.ts";
import { presetsInFile } from "../preset/presets-in-file.ts";
import {
  presetJson,
  presetPage,
  presetTable,
  saidMissing,
  saveCommand,
} from "../preset/preset-table.ts";
import { inLine } from "../render/foreign-text.ts";
import { jsonText } from "../render/json-text.ts";
import { checkedFilter } from "../selection/checked-filter.ts";
import { givenNames } from "../selection/chosen-servers.ts";

interface FileOptions {
  config?: string | undefined;
}
interface SaveOptions extends FileOptions {
  name: string;
  servers: readonly string[];
  tags: readonly string[];
  filter?: string | undefined;
  replace: boolean;
}

const nameArgument = { name: "name", describe: "The preset's name", required: true } as const;

export const list: CommandModule<FileOptions> = {
  talksToServer: true,
  options: { ...configurationOptions },
  about: [
    "Asks the gateway. Where none runs, or with --config, it reads the configuration file.",
    "A preset that names servers or tags that are not there is marked: it chooses what is left.",
  ],
  examples: [
    ["agent preset list", "what there is to choose by --preset"],
    ["agent preset list --json | jq -r '.presets[].name'", "the names, for a script"],
  ],
  /** With `--json`: `{presets: [as show], file: string|null}`; `file` where no gateway was asked. */
  async run(options, context) {
    const { io } = context;
    const { presets, file } = await knownPresets(options, context);
    if (options.format === "json") {
      await io.out(jsonText({ presets: presets.map(presetJson), file: file ?? null }, io));
      return;
    }
    if (presets.length > 0) await io.out(presetTable(presets, io));
    else io.note("There are no presets; agent preset save makes one", { always: true });
  },
};

export const show: CommandModule<FileOptions & { name: string }> = {
  talksToServer: true,
  options: { ...configurationOptions },
  positionals: [nameArgument],
  examples: [["agent preset show dev", "its definition, the servers it chooses now, what is gone"]],
  /**
   * With `--json`: `{name, definition: {servers?, tags?, filter?}, servers: [string], missing: {servers: [string],
   * tags: [string]}}`.
   */
  async run(options, context) {
    const { io } = context;
    const { presets } = await knownPresets(options, context);
    const preset = presetNamed(options.name, presets);
    await io.out(
      options.format === "json" ? jsonText(presetJson(preset), io) : presetPage(preset, io),
    );
  },
};

export const save: CommandModule<SaveOptions> = {
  talksToServer: false,
  options: {
    ...configurationOptions,
    servers: { type: "array", placeholder: "<a,b>", describe: "Only these servers" },
    tags: { type: "array", placeholder: "<a,b>", describe: "Only with one of these tags" },
    filter: {
      type: "string",
      placeholder: "<expression>",
      describe: 'Only those whose tags fit: "web and not (beta or slow)"',
      onlyOne: "Join them: --filter '(…) and (…)'",
    },
    replace: { type: "boolean", describe: "Also where there is another one of this name" },
  },
  positionals: [nameArgument],
  about: [
    "Writes it into the configuration file, which the running gateway takes up by itself. Comments in the file stay.",
    "Of what is given all must hold. A preset chooses among the servers that somebody may see; it lets nobody see more.",
  ],
  examples: [
    ["agent preset save dev --servers files,git", "two servers under one name"],
    ["agent preset save web --tags web --filter 'not slow'", "by their tags, now and later"],
  ],
  /** With `--json`: `{file, preset: as show, changed: boolean, gateway: "applied"|"refused"|"unknown"|"not running"}`. */
  async run(options, context) {
    const { io } = context;
    const { name } = options;
    const wanted = wantedPreset(options);
    const chosen = await chooseConfigurationFile(options, context);
    const opened = await openConfigurationFile(chosen.file);
    const before = entryOf(opened.value, name);
    const isSame = before !== undefined && sameJson(before, wanted);
    if (before !== undefined && !isSame && !options.replace) {
      throw new AppError("usage", `There is another preset ${quoteForShell(name)} already`, {
        hint: `Add --replace, or look at it first: agent preset show ${quoteForShell(name)}`,
      });
    }
    if (!isSame) await opened.save([{ path: ["presets", name], value: wanted }]);
    const gateway = await tellChange(chosen, opened, context, { isChanged: !isSame });
    // The others are as they were, whatever is wrong with them.
    const written = { ...opened.value, presets: { [name]: wanted } };
    const preset = presetNamed(name, presetsInFile(written));
    const missing = saidMissing(preset);
    if (missing !== "") io.note(`Of this preset ${missing}`, { always: true });
    if (options.format === "json") {
      const result = { file: chosen.file, preset: presetJson(preset), changed: !isSame, gateway };
      await io.out(jsonText(result, io));
    } else if (isSame) io.note(`Preset ${quoteForShell(name)} says that already`);
    else await io.out(presetPage(preset, io));
  },
};

export const remove: CommandModule<FileOptions & { name: string }> = {
  talksToServer: false,
  options: { ...configurationOptions },
  positionals: [nameArgument],
  examples: [["agent preset delete dev", "says how to have it again"]],
  /** With `--json`: `{file, deleted: string, definition: {servers?, tags?, filter?}, again: string, gateway: as save}`. */
  async run(options, context) {
    const { io } = context;
    const { name } = options;
    const chosen = await chooseConfigurationFile(options, context);
    const opened = await openConfigurationFile(chosen.file);
    const { definition } = presetNamed(name, definitionsIn(opened.value));
    await opened.save([{ path: ["presets", name], value: undefined }]);
    const gateway = await tellChange(chosen, opened, context);
    const again = saveCommand(name, definition);
    if (options.format === "json") {
      await io.out(jsonText({ file: chosen.file, deleted: name, definition, again, gateway }, io));
    } else {
      await io.out(`Deleted ${inLine(name, io, 100)}\n`);
      io.note(`To have it again: ${again}`);
    }
  },
};

/** @throws AppError `usage` */
function wantedPreset(options: SaveOptions): JsonObject {
  const servers = givenNames("--servers", options.servers);
  const tags = givenNames("--tags", options.tags);
  const { filter } = options;
  if (filter !== undefined) checkedFilter(filter);
  if (servers === undefined && tags === undefined && filter === undefined) {
    throw new AppError("usage", "A preset chooses something: --servers, --tags or --filter", {
      hint: `agent preset save ${quoteForShell(options.name)} --tags web`,
    });
  }
  return {
    ...(servers !== undefined && { servers: [...servers] }),
    ...(tags !== undefined && { tags: [...tags] }),
    ...(filter !== undefined && { filter }),
  };
}

function entryOf({ presets }: JsonObject, name: string): JsonObject[string] | undefined {
  return isJsonObject(presets) && Object.hasOwn(presets, name) ? presets[name] : undefined;
}

/** Also of those that would not be loaded. */
function definitionsIn({ presets }: JsonObject): { name: string; definition: Preset }[] {
  return Object.entries(isJsonObject(presets) ? presets : {}).map(([name, entry]) => ({
    name,
    definition: definitionOf(isJsonObject(entry) ? entry : {}),
  }));
}
