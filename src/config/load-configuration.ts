import { resolve } from "node:path";
import type { Configuration } from "../core/configuration.ts";
import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { completeConfiguration, raiseProblems } from "./complete-configuration.ts";
import type { CompleteOptions, Locate } from "./complete-configuration.ts";
import { readConfigurationFile } from "./configuration-file.ts";
import { configurationError, formatKeyPath, formatPlace } from "./configuration-problem.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";
import { configurationSchema } from "./configuration-schema.ts";
import type { WrittenConfiguration } from "./configuration-schema.ts";
import { defaultConfigurationFile } from "./default-configuration-file.ts";
import { resolveDirectories } from "./directories.ts";
import { fillVariables } from "./fill-variables.ts";
import type { FilledSecret } from "./fill-variables.ts";
import { parseJsonDocument } from "./json-document.ts";
import { schemaProblems } from "./schema-problems.ts";
import { readSecrets } from "./secret-references.ts";
import type { ReadSecret } from "./secret-references.ts";
import { placeInFile, withoutUnchosenAuth } from "./unchosen-auth.ts";

export interface LoadOptions extends CompleteOptions {
  /** The file the user named; without one `<config-dir>/mcp.json` is read, if it is there. */
  file?: string | undefined;
  /** What `--config-dir` says; without it the environment decides. */
  configDir?: string | undefined;
  /** Reads what `${secret:NAME}` stands for. Absent: whoever loads has no use for secrets; those are problems then. */
  readSecret?: ReadSecret | undefined;
  /** Told the text as it was read, before it is judged; not told where there is none, or none that can be read. */
  onText?: ((text: string) => void) | undefined;
}

/**
 * Reads, checks and completes the configuration. A file that was named must exist; the default one may
 * be absent, and then the configuration is empty.
 * @throws AppError `config_invalid`: `<file>:<line>: <key path>: <reason>`, the first of all problems;
 *   `store_unavailable`: a secret that it names cannot be read
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
    const nothing = { written: {}, servers: new Map<string, JsonObject>(), file: undefined };
    return completeConfiguration(nothing, options, (problem) => problem);
  }
  options.onText?.(content.text);
  const parsed = parseJsonDocument(content.text);
  if (parsed.kind === "broken") throw configurationError(file, parsed.problems);
  const { document } = parsed;
  const secrets =
    options.readSecret &&
    (await readSecrets(document.value, options.readSecret, (path) =>
      formatPlace(file, { path, line: document.lineOf(path) }),
    ));
  const filled = fillVariables(document.value, environment.all, secrets);
  const counted = withoutUnchosenAuth(filled, options.overrides.auth);
  const locate: Locate = (problem) => {
    const placed = placeInFile(problem, counted);
    return { ...placed, line: document.lineOf(placed.path) };
  };
  const problems = [...counted.problems];
  const written = checkShape(counted.value, problems);
  if (written === undefined || problems.length > 0) raiseProblems(file, problems, locate);
  const configuration = await completeConfiguration(
    { written, servers: writtenServers(document.value), file },
    options,
    locate,
  );
  return withSecrets(configuration, filled.secrets);
}

/** Each server knows what of its entry came out of the key ring, wherever it stands: nothing of it is to be shown. */
function withSecrets(
  configuration: Configuration,
  secrets: readonly FilledSecret[],
): Configuration {
  if (secrets.length === 0) return configuration;
  const servers = new Map(
    [...configuration.servers].map(([name, server]) => {
      const own = secrets.filter(({ path }) => path[0] === "mcpServers" && path[1] === name);
      return [
        name,
        own.length === 0 ? server : { ...server, secrets: own.map(({ value }) => value) },
      ];
    }),
  );
  return { ...configuration, servers };
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
  // For one value zod's compiled checks cost more than they save.
  const result = configurationSchema.safeParse(value, { jitless: true });
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
