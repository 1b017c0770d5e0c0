import type { PresetRow } from "../../client/tool-server.ts";
import { cannotSelect } from "../../client/connect-tool-server.ts";
import { openConfigurationFile } from "../../config/edit-configuration.ts";
import { presetNamed as knownByName } from "../../core/selection.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { realSource, withServer } from "../calling/open-server.ts";
import type { CallingOptions, ServerSource } from "../calling/open-server.ts";
import { chooseConfigurationFile } from "../configuration/choose-configuration-file.ts";
import type { Context } from "../context.ts";
import { runningGateway } from "../running-gateway.ts";
import { authDependencies } from "../sign-in/dependencies.ts";
import { presetsInFile } from "./presets-in-file.ts";

export interface KnownPresets {
  presets: readonly PresetRow[];
  /** Where no gateway was asked: the configuration file that was read. */
  file: string | undefined;
}

export interface KnownPresetsOptions extends CallingOptions {
  config?: string | undefined;
}

/**
 * The presets of the gateway; where none is named and none runs, those of the configuration file, which stderr says.
 * `--config` names the file in any case.
 * @throws AppError of asking, and of reading the file
 */
export async function knownPresets(
  options: KnownPresetsOptions,
  context: Context,
  source: ServerSource = realSource,
): Promise<KnownPresets> {
  const named = options.config !== undefined && options.url === undefined;
  if (named || !(await hasGateway(options, context))) {
    const { file } = await chooseConfigurationFile(options, context);
    const opened = await openConfigurationFile(file);
    const what = opened.exists ? "from" : "there is no";
    const why = named ? "" : "No gateway is running; ";
    context.io.note(`${why}${what} ${quoteForShell(file)}`);
    return { presets: presetsInFile(opened.value), file };
  }
  return withServer(options, context, source, async (server) => {
    if (server.presets === undefined) throw cannotSelect(server.only ?? options.url ?? "");
    return { presets: await server.presets(), file: undefined };
  });
}

async function hasGateway({ url }: KnownPresetsOptions, context: Context): Promise<boolean> {
  if (url !== undefined || context.environment.url !== undefined) return true;
  return (await runningGateway(context, authDependencies)) !== undefined;
}

/** @throws AppError `not_found` with a "did you mean" hint */
export function presetNamed<Known extends { name: string }>(
  name: string,
  presets: readonly Known[],
): Known {
  return knownByName(name, new Map(presets.map((preset) => [preset.name, preset])));
}
