import type { Json, JsonObject } from "../core/json.ts";
import { formatKeyPath } from "./configuration-problem.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";
import { configurationSchema } from "./configuration-schema.ts";
import { isUnfilled } from "./disabled-entries.ts";
import { valueAt } from "./known-keys.ts";
import { schemaProblems } from "./schema-problems.ts";
import { toServerConfiguration } from "./server-configuration.ts";

/**
 * What is wrong with one entry of `mcpServers` as it is written: a text with a `${NAME}` in it may become anything, and
 * is not looked at.
 */
export function entryProblems(name: string, entry: Json): ConfigurationProblem[] {
  const root = { mcpServers: { [name]: entry } };
  const result = configurationSchema.safeParse(root);
  if (!result.success) return settled(schemaProblems(result.error.issues, root), root);
  const [written] = Object.values(result.data.mcpServers ?? {});
  if (written === undefined) return [];
  const context = { environment: {}, folder: "/" };
  return settled(toServerConfiguration(name, written, context).problems, root);
}

/** Why our configuration would refuse an entry, in words without a value of it; undefined: it would not. */
export function faultOfEntry(
  name: string,
  entry: Json,
): { reason: string; hint: string | undefined } | undefined {
  const [problem] = entryProblems(name, entry);
  if (problem === undefined) return undefined;
  const key = formatKeyPath(problem.path.slice(2));
  return { reason: key === "" ? problem.reason : `${key} ${problem.reason}`, hint: problem.hint };
}

/** The same of one entry of `presets`. */
export function presetProblems(name: string, preset: Json): ConfigurationProblem[] {
  const root = { presets: { [name]: preset } };
  const result = configurationSchema.safeParse(root);
  return result.success ? [] : settled(schemaProblems(result.error.issues, root), root);
}

function settled(
  problems: readonly ConfigurationProblem[],
  root: JsonObject,
): ConfigurationProblem[] {
  return problems.filter(({ path }) => !isUnfilled(valueAt(root, path)));
}
