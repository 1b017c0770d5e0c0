import { isJsonObject } from "../core/json.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { closedPart, isSecretName, keepSecretCommand } from "../core/secret-reference.ts";
import type { ConfigurationProblem, KeyPath } from "./configuration-problem.ts";
import { isOfDisabled } from "./disabled-entries.ts";
import { isPlainText, referencePattern } from "./references.ts";

/** A value that came out of the key ring. */
export interface FilledSecret {
  path: KeyPath;
  value: string;
}

/**
 * Fills `${NAME}` and `${NAME:-default}` in every string value (not in keys) from the environment, and `${secret:NAME}`
 * from what is kept, once: what a variable or a secret holds is not searched again. The default holds where the variable
 * is not set or empty, as in a shell; without a default, a variable that is not set is a problem at its key, and so is a
 * secret that is not there; in the entry of a disabled server both stay as they are written. Any other `$` is left alone,
 * and so are texts that people and models are told (`isPlainText`).
 * @param secrets what was found under each name; undefined: nobody looked, and it is as with a variable that is set elsewhere
 */
export function fillVariables(
  value: Json,
  environment: Readonly<Record<string, string | undefined>>,
  secrets?: ReadonlyMap<string, string>,
): { value: Json; problems: ConfigurationProblem[]; secrets: FilledSecret[] } {
  const problems: ConfigurationProblem[] = [];
  const filledSecrets: FilledSecret[] = [];

  const fillSecret = (name: string, path: KeyPath, whole: string): string => {
    if (!isSecretName(name)) {
      if (isOfDisabled(value, path)) return whole;
      problems.push({
        path,
        reason: "${secret:…} names no secret",
        hint: "a name is letters, digits, _, . and - with / between its parts: ${secret:server/KEY}",
      });
      return "";
    }
    const found = secrets?.get(name);
    if (found === undefined) {
      if (isOfDisabled(value, path)) return whole;
      problems.push({
        path,
        reason: `the secret ${name} is not kept on this machine`,
        hint: keepSecretCommand(name, path[2], path[1]),
        ...(secrets === undefined ? { unsetVariable: `secret:${name}` } : {}),
      });
      return "";
    }
    filledSecrets.push({ path, value: found });
    return found;
  };

  const fillVariable = (
    name: string,
    fallback: string | undefined,
    path: KeyPath,
    whole: string,
  ): string => {
    const found = environment[name];
    if (fallback !== undefined) return found === undefined || found === "" ? fallback : found;
    if (found === undefined) {
      if (isOfDisabled(value, path)) return whole;
      problems.push({
        path,
        reason: `the environment variable ${name} is not set`,
        unsetVariable: name,
        hint: `set ${name}, or write \${${name}:-default}`,
      });
    }
    return found ?? "";
  };

  const fill = (current: Json, path: KeyPath): Json => {
    if (isPlainText(path)) return current;
    if (typeof current === "string") {
      const closed = closedPart(current);
      const filled = closed.replaceAll(
        referencePattern,
        (whole, secret: string | undefined, name: string, fallback: string | undefined) =>
          secret === undefined
            ? fillVariable(name, fallback, path, whole)
            : fillSecret(secret, path, whole),
      );
      return filled + current.slice(closed.length);
    }
    if (Array.isArray(current)) return current.map((item, index) => fill(item, [...path, index]));
    if (!isJsonObject(current)) return current;
    const filled: JsonObject = {};
    for (const [key, item] of Object.entries(current)) filled[key] = fill(item, [...path, key]);
    return filled;
  };
  return { value: fill(value, []), problems, secrets: filledSecrets };
}
