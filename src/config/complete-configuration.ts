import { dirname, resolve } from "node:path";
import type {
  Configuration,
  ServerConfiguration,
  TlsConfiguration,
} from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { toAuthConfigurations } from "./auth-configuration.ts";
import { chooseAuth } from "./choose-auth.ts";
import { configurationError, formatProblem } from "./configuration-problem.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";
import type { WrittenConfiguration, WrittenServer } from "./configuration-schema.ts";
import type { Environment } from "./environment.ts";
import { createFindings } from "./findings.ts";
import { listenProblems } from "./listen-rules.ts";
import { ownVariableDoubts } from "./own-variable-doubts.ts";
import { checkPresets } from "./preset-rules.ts";
import { toServerConfiguration } from "./server-configuration.ts";
import type { ServerContext } from "./server-configuration.ts";
import { checkTlsFiles } from "./tls-files.ts";

export interface CompleteOptions {
  environment: Environment;
  /** From the command line; they win over the file. */
  overrides: {
    host?: string | undefined;
    port?: number | undefined;
    /** One authentication type; its options still come from the file. */
    auth?: string | undefined;
    externalUrl?: string | undefined;
    insecureHttp?: boolean | undefined;
    /** In place of `rateLimit.rpm`. */
    rateLimitRpm?: number | undefined;
  };
  /** Told, where the configuration is good, what it allows and is seldom meant. */
  onDoubt?: ((sentence: string) => void) | undefined;
  /** Milliseconds since the epoch, by which certificates are looked at. Default: the clock's. */
  now?: (() => number) | undefined;
}

/** What the file says, in its right shape. */
export interface FoundConfiguration {
  written: WrittenConfiguration;
  /** The entries of `mcpServers` as they stand in it. */
  servers: ReadonlyMap<string, JsonObject>;
  /** Absolute; undefined: there is none. */
  file: string | undefined;
}

/** Says where in the file a problem is. */
export type Locate = (problem: ConfigurationProblem) => ConfigurationProblem;

const defaults = {
  host: "127.0.0.1",
  port: 3050,
  maxBodyBytes: 4 * 1024 * 1024,
  rateLimitRpm: 60,
} as const;

/**
 * The configuration with its defaults and with what the command line says, once all of it is right.
 * @throws AppError `config_invalid`
 */
export async function completeConfiguration(
  { written, servers: writtenServers, file }: FoundConfiguration,
  { overrides, environment, onDoubt, now = Date.now }: CompleteOptions,
  locate: Locate,
): Promise<Configuration> {
  const insecureHttp = overrides.insecureHttp ?? false;
  const folder = file === undefined ? process.cwd() : dirname(file);
  const made = toServers(written.mcpServers ?? {}, { environment: environment.all, folder });
  const externalUrl = overrides.externalUrl ?? written.externalUrl;
  const authentication = toAuthConfigurations(written.auth, { insecureHttp, externalUrl });
  const auth =
    authentication.problems.length > 0
      ? authentication.auth
      : chooseAuth(overrides.auth, authentication.auth);
  const configuration: Configuration = {
    file,
    host: overrides.host ?? written.host ?? defaults.host,
    port: overrides.port ?? written.port ?? defaults.port,
    externalUrl,
    allowedHosts: written.allowedHosts ?? [],
    allowedOrigins: written.allowedOrigins ?? [],
    trustedProxies: written.trustedProxies ?? [],
    allowQueryToken: written.allowQueryToken ?? false,
    tls: written.tls && toTls(written.tls, folder),
    maxBodyBytes: written.maxBodyBytes ?? defaults.maxBodyBytes,
    auth: auth.map(({ entry }) => entry),
    rateLimit: {
      rpm: overrides.rateLimitRpm ?? written.rateLimit?.rpm ?? defaults.rateLimitRpm,
      roles: written.rateLimit?.roles ?? {},
      tools: Object.entries(written.rateLimit?.tools ?? {}).map(([pattern, rpm]) => ({
        pattern,
        rpm,
      })),
    },
    auditRetentionDays: written.audit?.retentionDays,
    servers: made.servers,
    presets: new Map(Object.entries(written.presets ?? {})),
    writtenServers,
  };
  const tls = createFindings(["tls"]);
  if (configuration.tls !== undefined) await checkTlsFiles(configuration.tls, tls, now());
  const presets = createFindings(["presets"]);
  checkPresets(configuration.presets, made.servers, presets);
  const problems = [
    ...made.problems,
    ...authentication.problems,
    ...tls.problems,
    ...presets.problems,
  ];
  // Rules between values are told once each value is right by itself.
  if (problems.length === 0) {
    problems.push(...listenProblems(configuration, insecureHttp));
    refuseOverrides(problems, overrides);
  }
  if (problems.length > 0) raiseProblems(file ?? "configuration", problems, locate);
  const doubts = [
    ...made.doubts,
    ...[...writtenServers].flatMap(([name, entry]) => ownVariableDoubts(name, entry)),
    ...auth.flatMap((found) => found.doubts),
    ...tls.doubts,
    ...presets.doubts,
  ];
  for (const doubt of doubts) {
    const sentence = formatProblem(file ?? "configuration", locate(doubt));
    onDoubt?.(doubt.hint === undefined ? sentence : `${sentence}: ${doubt.hint}`);
  }
  return configuration;
}

function toServers(
  written: Readonly<Record<string, WrittenServer>>,
  context: ServerContext,
): {
  servers: Map<string, ServerConfiguration>;
  problems: ConfigurationProblem[];
  doubts: ConfigurationProblem[];
} {
  const made = Object.entries(written).map(([name, entry]) =>
    toServerConfiguration(name, entry, context),
  );
  return {
    servers: new Map(made.flatMap(({ server }) => (server ? [[server.name, server]] : []))),
    problems: made.flatMap(({ problems }) => problems),
    doubts: made.flatMap(({ doubts = [] }) => doubts),
  };
}

function toTls({ cert, key }: { cert: string; key: string }, folder: string): TlsConfiguration {
  return { certFile: resolve(folder, cert), keyFile: resolve(folder, key) };
}

/** Tells problems at their lines. */
export function raiseProblems(
  file: string,
  problems: readonly ConfigurationProblem[],
  locate: Locate,
): never {
  const [first, ...rest] = problems.map(locate);
  throw first === undefined
    ? new AppError("config_invalid", `${file}: is not a configuration`)
    : configurationError(file, [first, ...rest]);
}

/** A problem with a value from the command line is told with the option's name, not with a line of the file. */
function refuseOverrides(
  problems: readonly ConfigurationProblem[],
  overrides: CompleteOptions["overrides"],
): void {
  const flags = [
    ["host", "--host"],
    ["externalUrl", "--external-url"],
    ["auth", "--auth"],
  ] as const;
  for (const [key, flag] of flags) {
    const problem = problems.find(({ path }) => path[0] === key);
    if (overrides[key] === undefined || problem === undefined) continue;
    throw new AppError("config_invalid", `${flag}: ${problem.reason}`, {
      hint: problem.hint,
    });
  }
}
