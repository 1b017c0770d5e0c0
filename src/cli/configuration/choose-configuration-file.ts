import { realpath } from "node:fs/promises";
import { resolve } from "node:path";
import { defaultConfigurationFile } from "../../config/default-configuration-file.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { readRuntimeFile } from "../../runtime/runtime-file.ts";
import type { Context } from "../context.ts";
import { runningGateway } from "../running-gateway.ts";

/** Which configuration file a command is about. */
export interface ChosenConfigurationFile {
  /** Absolute; it may not be there yet. */
  file: string;
  /** What said so: `--config`, `ONEDOOR_CONFIG`, the running gateway, or nothing. */
  origin: "option" | "environment" | "gateway" | "default";
  /** Whether a gateway of this user runs that takes up what is saved in this file. */
  gatewayRuns: boolean;
}

/**
 * The file that `--config` or its environment twin names, else the one that the running gateway has, else `mcp.json` in
 * the configuration folder. Where nobody named it and it is another than that one, stderr says which it is.
 */
export async function chooseConfigurationFile(
  options: { config?: string | undefined },
  context: Context,
  dependencies: { readRuntimeFile: typeof readRuntimeFile } = { readRuntimeFile },
): Promise<ChosenConfigurationFile> {
  const usual = defaultConfigurationFile(context.directories.config);
  const gateway = await runningGateway(context, dependencies);
  const ofGateway = gateway === undefined ? undefined : resolve(gateway.configurationFile ?? usual);
  const named = options.config;
  if (named !== undefined) {
    const fromEnvironment = named === context.environment.all["ONEDOOR_CONFIG"];
    const file = resolve(named);
    if (fromEnvironment) context.io.note(`ONEDOOR_CONFIG names ${quoteForShell(file)}`);
    return {
      file,
      origin: fromEnvironment ? "environment" : "option",
      gatewayRuns: ofGateway !== undefined && (await isSameFile(file, ofGateway)),
    };
  }
  if (ofGateway === undefined) return { file: usual, origin: "default", gatewayRuns: false };
  if (ofGateway !== resolve(usual)) {
    context.io.note(`The running gateway's configuration is ${quoteForShell(ofGateway)}`);
  }
  return { file: ofGateway, origin: "gateway", gatewayRuns: true };
}

async function isSameFile(one: string, other: string): Promise<boolean> {
  return one === other || (await realPath(one)) === (await realPath(other));
}

async function realPath(path: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    return path;
  }
}
