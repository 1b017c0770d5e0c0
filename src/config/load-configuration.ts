import { dirname, join, resolve } from "node:path";
import type {
  AuthConfiguration,
  Configuration,
  ServerConfiguration,
} from "../core/configuration.ts";
import { AppError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { toAuthConfigurations } from "./auth-configuration.ts";
import { configurationError, formatKeyPath, formatProblem } from "./configuration-problem.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";
import { readConfigurationFile } from "./configuration-file.ts";
import { configurationSchema } from "./configuration-schema.ts";
import type { WrittenConfiguration } from "./configuration-schema.ts";
import { resolveDirectories } from "./directories.ts";
import type { Environment } from "./environment.ts";
import { fillVariables } from "./fill-variables.ts";
import { parseJsonDocument } from "./json-document.ts";
import { listenProblems } from "./listen-rules.ts";
import { schemaProblems } from "./schema-problems.ts";
import { toServerConfiguration } from "./server-configuration.ts";

export interface LoadOptions {
  /** The file the user named; without one `<config-dir>/mcp.json` is read, if it is there. */
  file?: string | undefined;
  /** What `--config-dir` says; without it the environment decides. */
  configDir?: string | undefined;
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
}

const defaults = {
  host: "127.0.0.1",
  port: 3050,
  maxBodyBytes: 4 * 1024 * 1024,
  rateLimitRpm: 60,
} as const;

/** Where the configuration is looked for when the user names no file. */
export function defaultConfigurationFile(configDir: string): string {
  return join(configDir, "mcp.json");
}

/**
 * Reads, checks and completes the configuration. A file that was named must exist; the default one may
 * be absent, and then the configuration is empty.
 * @throws AppError `config_invalid`: `<file>:<line>: <key path>: <reason>`, the first of all problems
 */
export async function loadConfiguration(options: LoadOptions): Promise<Configuration> {
  const { environment } = options;
  const named = options.file;
  const file = resolve(
    named ?? defaultConfigurationFile(resolveDirectories(options.configDir, environment).config),
  );
  const content = await readConfigurationFile(file);
  if (content.kind === "refused") throw configurationError(file, [content.problem]);
  if (content.kind === "absent") {
    if (named !== undefined) {
      const hint = "Check the path; without --config it is mcp.json in the configuration folder";
      throw configurationError(file, [{ path: [], reason: "there is no such file", hint }]);
    }
    return complete({ written: {}, servers: new Map(), file: undefined }, options, () => undefined);
  }
  const parsed = parseJsonDocument(content.text);
  if (parsed.kind === "broken") throw configurationError(file, parsed.problems);
  const { document } = parsed;
  const lineOf = (problem: ConfigurationProblem): number => document.lineOf(problem.path);

  const filled = fillVariables(document.value, environment.all);
  const problems = [...filled.problems];
  const written = checkShape(filled.value, problems);
  if (written === undefined || problems.length > 0) raise(file, problems, lineOf);
  return complete({ written, servers: writtenServers(document.value), file }, options, lineOf);
}

/** The entries of `mcpServers` as they stand in the file. */
function writtenServers(value: Json): Map<string, JsonObject> {
  const entries = isJsonObject(value) ? value["mcpServers"] : undefined;
  if (!isJsonObject(entries)) return new Map();
  return new Map(
    Object.entries(entries).flatMap(([name, entry]) =>
      isJsonObject(entry) ? [[name, entry] as const] : [],
    ),
  );
}

function checkShape(
  value: Json,
  problems: ConfigurationProblem[],
): WrittenConfiguration | undefined {
  const result = configurationSchema.safeParse(value);
  if (result.success) return result.data;
  // A value whose variable is missing is told once, not again as the empty text it left behind.
  const told = new Set(problems.map(({ path }) => formatKeyPath(path)));
  problems.push(
    ...schemaProblems(result.error.issues, value).filter(
      ({ path }) => !told.has(formatKeyPath(path)),
    ),
  );
  return undefined;
}

function raise(
  file: string,
  problems: readonly ConfigurationProblem[],
  lineOf: (problem: ConfigurationProblem) => number | undefined,
): never {
  const [first, ...rest] = problems.map((problem) => ({ ...problem, line: lineOf(problem) }));
  throw first === undefined
    ? new AppError("config_invalid", `${file}: is not a configuration`)
    : configurationError(file, [first, ...rest]);
}

function complete(
  found: {
    written: WrittenConfiguration;
    servers: ReadonlyMap<string, JsonObject>;
    file: string | undefined;
  },
  { overrides, environment, onDoubt }: LoadOptions,
  lineOf: (problem: ConfigurationProblem) => number | undefined,
): Configuration {
  const { written, file } = found;
  const problems: ConfigurationProblem[] = [];
  const doubts: ConfigurationProblem[] = [];
  const servers = new Map<string, ServerConfiguration>();
  const folder = file === undefined ? process.cwd() : dirname(file);
  for (const [name, entry] of Object.entries(written.mcpServers ?? {})) {
    const made = toServerConfiguration(name, entry, { environment: environment.all, folder });
    problems.push(...made.problems);
    doubts.push(...(made.doubts ?? []));
    if (made.server !== undefined) servers.set(name, made.server);
  }
  const authentication = toAuthConfigurations(written.auth);
  problems.push(...authentication.problems);
  const configuration: Configuration = {
    ...(file === undefined ? {} : { file }),
    host: overrides.host ?? written.host ?? defaults.host,
    port: overrides.port ?? written.port ?? defaults.port,
    ...withExternalUrl(overrides.externalUrl ?? written.externalUrl),
    allowedHosts: written.allowedHosts ?? [],
    allowedOrigins: written.allowedOrigins ?? [],
    maxBodyBytes: written.maxBodyBytes ?? defaults.maxBodyBytes,
    auth:
      overrides.auth === undefined
        ? authentication.auth
        : [chosenAuth(overrides.auth, authentication.auth)],
    rateLimit: {
      rpm: overrides.rateLimitRpm ?? written.rateLimit?.rpm ?? defaults.rateLimitRpm,
      roles: written.rateLimit?.roles ?? {},
      tools: Object.entries(written.rateLimit?.tools ?? {}).map(([pattern, rpm]) => ({
        pattern,
        rpm,
      })),
    },
    ...withRetention(written.audit?.retentionDays),
    servers,
    writtenServers: found.servers,
  };
  if (configuration.auth.some(({ type }) => type === "token")) {
    doubts.push(...authentication.doubts);
  }
  // Rules between values are told once each value is right by itself.
  if (problems.length === 0) {
    problems.push(...listenProblems(configuration, overrides.insecureHttp ?? false));
    refuseOverrides(problems, overrides);
  }
  if (problems.length > 0) raise(file ?? "configuration", problems, lineOf);
  for (const doubt of doubts) {
    const sentence = formatProblem(file ?? "configuration", { ...doubt, line: lineOf(doubt) });
    onDoubt?.(doubt.hint === undefined ? sentence : `${sentence}, ${doubt.hint}`);
  }
  return configuration;
}

/** A problem with a value from the command line is told with the option's name, not with a line of the file. */
function refuseOverrides(
  problems: readonly ConfigurationProblem[],
  overrides: LoadOptions["overrides"],
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

function withExternalUrl(externalUrl: string | undefined): { externalUrl?: string } {
  return externalUrl === undefined ? {} : { externalUrl };
}

function withRetention(auditRetentionDays: number | undefined): { auditRetentionDays?: number } {
  return auditRetentionDays === undefined ? {} : { auditRetentionDays };
}

/** `--auth <type>`: that type alone. The static tokens of `token` can only come from the file. */
function chosenAuth(type: string, fromFile: readonly AuthConfiguration[]): AuthConfiguration {
  if (type === "local" || type === "none") return { type };
  if (type !== "token") {
    throw new AppError(
      "config_invalid",
      `--auth: ${JSON.stringify(type)} is not a type to choose`,
      {
        hint: "choose local, token or none",
      },
    );
  }
  const found = fromFile.find((entry) => entry.type === type);
  if (found === undefined) {
    throw new AppError("config_invalid", "--auth token: the configuration names no tokens", {
      hint: 'add "auth": {"type": "token", "options": {"token": "${NAME}"}} to the file',
    });
  }
  return found;
}
