import { openConfigurationFile } from "../../config/edit-configuration.ts";
import { isJsonObject } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { closest } from "../../core/suggest.ts";
import { parseServerUrl } from "../../core/url.ts";
import { namedFile } from "../../hosts/host-files.ts";
import { readHostFile } from "../../hosts/read-host-file.ts";
import type { Machine } from "../../hosts/host.ts";
import { chooseConfigurationFile } from "../configuration/choose-configuration-file.ts";
import type { Context } from "../context.ts";
import { shellPath } from "../doctor/shell-path.ts";
import { loginHint } from "../login-hint.ts";
import { runningGateway } from "../running-gateway.ts";
import { authDependencies } from "../sign-in/dependencies.ts";

/** What of setup the next steps depend on. */
export interface SetUp {
  url?: string | undefined;
  profile?: string | undefined;
  preset?: string | undefined;
  cacert?: string | undefined;
  /** Where the client keeps its servers; undefined: it has no such file. */
  serverFile: string | undefined;
}

const mostNames = 10;

/**
 * What is still to be done before the client has tools, and what it has twice, a sentence each: by the files of this
 * machine alone, no server is asked. What cannot be found out is not said.
 */
export async function nextSteps(
  setUp: SetUp,
  context: Context,
  machine: Machine,
): Promise<string[]> {
  const steps = await missingSteps(setUp, context).catch(() => []);
  // Of a server elsewhere nothing is known here.
  if (setUp.url !== undefined) return steps;
  const configuration = await configurationOf(context).catch(() => undefined);
  if (configuration === undefined) return steps;
  const file = shellPath(configuration.file, machine.home);
  return [
    ...steps,
    ...unknownPreset(setUp.preset, configuration.value, file),
    ...(await twice(setUp.serverFile, configuration.value, machine).catch(() => [])),
  ];
}

/** That no gateway runs, or nobody is signed in to what the client will use. */
async function missingSteps({ url, profile, cacert }: SetUp, context: Context): Promise<string[]> {
  const profiles = authDependencies.openProfiles(context);
  const runtime = url === undefined ? await runningGateway(context, authDependencies) : undefined;
  const address = url ?? runtime?.url;
  if (address !== undefined) {
    const { canonical } = parseServerUrl(address, { insecureHttp: true });
    if ((await profiles.find(canonical, profile)) !== undefined) return [];
    const login =
      url === undefined && profile === undefined
        ? "agent auth login"
        : loginHint({ url: address, name: profile }, { cacert });
    return [`Nobody is signed in to ${canonical} yet: ${login}`];
  }
  const saved = await profiles.findDefault(profile);
  if (saved !== undefined && saved.source !== "local") return [];
  return [
    "No gateway of yours runs, so the client has no tools yet: agent serve --background",
    ...(saved === undefined ? ["Nobody is signed in; then: agent auth login"] : []),
  ];
}

async function configurationOf(
  context: Context,
): Promise<{ file: string; value: JsonObject } | undefined> {
  const { file } = await chooseConfigurationFile({}, context);
  const { exists, value } = await openConfigurationFile(file);
  return exists ? { file, value } : undefined;
}

function unknownPreset(
  preset: string | undefined,
  { presets }: JsonObject,
  file: string,
): string[] {
  const known = isJsonObject(presets) ? Object.keys(presets) : [];
  if (preset === undefined || known.includes(preset)) return [];
  const meant = closest(preset, known);
  const help = meant === undefined ? "agent preset list" : `did you mean ${quoteForShell(meant)}?`;
  return [`There is no preset ${quoteForShell(preset)} in ${file} yet: ${help}`];
}

/** A server that was imported is still in the client as well. */
async function twice(
  serverFile: string | undefined,
  { mcpServers }: JsonObject,
  machine: Machine,
): Promise<string[]> {
  if (serverFile === undefined || !isJsonObject(mcpServers)) return [];
  const content = await readHostFile(namedFile(serverFile, machine), machine);
  if (content.kind !== "read") return [];
  const names = content.found.servers
    .map(({ name }) => name)
    .filter((name) => Object.hasOwn(mcpServers, name));
  if (names.length === 0) return [];
  const more = names.length - mostNames;
  const said = names.slice(0, mostNames).map(quoteForShell).join(", ");
  return [
    `The gateway has ${said}${more > 0 ? ` and ${more} more` : ""} too, so the client has these twice: take them out of ${shellPath(serverFile, machine.home)} by hand once the client works with the gateway`,
  ];
}
