import { isJsonObject } from "../core/json.ts";
import type { JsonObject } from "../core/json.ts";
import { formatKeyPath } from "./configuration-problem.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";
import { configurationSchema } from "./configuration-schema.ts";
import { entryProblems, presetProblems } from "./entry-problems.ts";
import { valueAt } from "./known-keys.ts";
import { schemaProblems } from "./schema-problems.ts";

/**
 * What is wrong with a configuration as it is written: its shape, and the rules of its servers and presets, each
 * problem once. A text with a `${NAME}` in it may become anything, and is not looked at; nor is what depends on how a
 * gateway is started.
 */
export function fileProblems(root: JsonObject): ConfigurationProblem[] {
  const found = [
    ...shapeProblems(root),
    ...entriesOf(root, "mcpServers").flatMap(([name, entry]) => entryProblems(name, entry)),
    ...entriesOf(root, "presets").flatMap(([name, preset]) => presetProblems(name, preset)),
  ];
  return [...new Map(found.map((problem) => [problemKey(problem), problem])).values()];
}

/** The same for the same problem of two texts, wherever it stands in them. */
export function problemKey({ path, reason }: ConfigurationProblem): string {
  return `${formatKeyPath(path)}: ${reason}`;
}

/** Of all but the servers and presets, which have their own looks. */
function shapeProblems(root: JsonObject): ConfigurationProblem[] {
  const { mcpServers, presets, ...rest } = root;
  const outside = {
    ...rest,
    ...(mcpServers === undefined ? {} : { mcpServers: isJsonObject(mcpServers) ? {} : mcpServers }),
    ...(presets === undefined ? {} : { presets: isJsonObject(presets) ? {} : presets }),
  };
  const result = configurationSchema.safeParse(outside);
  if (result.success) return [];
  return schemaProblems(result.error.issues, outside).filter(
    ({ path }) => !JSON.stringify(valueAt(outside, path) ?? null).includes("${"),
  );
}

function entriesOf(root: JsonObject, key: string): [string, JsonObject[string]][] {
  const entries = root[key];
  return isJsonObject(entries) ? Object.entries(entries) : [];
}
