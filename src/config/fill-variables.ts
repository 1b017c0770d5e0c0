import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { ConfigurationProblem, KeyPath } from "./configuration-problem.ts";

const variable = /\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g;

/**
 * Fills `${NAME}` and `${NAME:-default}` in every string value (not in keys) from the environment, once:
 * what a variable holds is not searched again. The default holds where the variable is not set or
 * empty, as in a shell; without a default, a variable that is not set is a problem at its key. Any
 * other `$` is left alone.
 */
export function fillVariables(
  value: Json,
  environment: Readonly<Record<string, string | undefined>>,
): { value: Json; problems: ConfigurationProblem[] } {
  const problems: ConfigurationProblem[] = [];
  const fill = (current: Json, path: KeyPath): Json => {
    if (typeof current === "string") {
      return current.replaceAll(variable, (_whole, name: string, fallback: string | undefined) => {
        const found = environment[name];
        if (fallback !== undefined) return found === undefined || found === "" ? fallback : found;
        if (found === undefined) {
          problems.push({
            path,
            reason: `the environment variable ${name} is not set`,
            unsetVariable: name,
            hint: `set ${name}, or write \${${name}:-default}`,
          });
        }
        return found ?? "";
      });
    }
    if (Array.isArray(current)) return current.map((item, index) => fill(item, [...path, index]));
    if (!isJsonObject(current)) return current;
    const filled: JsonObject = {};
    for (const [key, item] of Object.entries(current)) filled[key] = fill(item, [...path, key]);
    return filled;
  };
  return { value: fill(value, []), problems };
}
