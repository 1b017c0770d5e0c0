import { isJsonObject } from "../../../core/json.ts";
import type { Json, JsonObject } from "../../../core/json.ts";
import {
  isSecretOf,
  keepSecretCommand,
  secretName,
  secretReference,
  secretsIn,
} from "../../../core/secret-reference.ts";
import {
  hasSecretInLine,
  isPlaceholder,
  isPlaceholderArgument,
  looksSecret,
  schemeOf,
  secretInLine,
} from "../secret-values.ts";
import type { PreparedServer, WantedSecret } from "./apply-options.ts";

/**
 * Finds what an entry lacks: values of `env` and `headers` that only stand for one, and secrets that it refers to and
 * that are not kept yet. And what stands in it in the clear and looks like a secret.
 * @param kept names of the secrets that are kept
 * @param canAsk whether somebody can be asked: then what lacks becomes a reference, with the secret wanted
 */
export function lookAtEntry(
  server: PreparedServer,
  { kept, canAsk }: { kept: readonly string[]; canAsk: boolean },
): PreparedServer {
  const { name, entry } = server;
  const notes = [...server.notes];
  const wanted: WantedSecret[] = [...server.wanted];
  const result: JsonObject = { ...entry };
  for (const place of ["env", "headers"] as const) {
    const values = entry[place];
    if (!isJsonObject(values)) continue;
    result[place] = Object.fromEntries(
      Object.entries(values).map(([key, value]): [string, Json] => {
        if (typeof value !== "string" || value.includes("${")) return [key, value];
        if (isPlaceholder(value)) {
          if (!canAsk) {
            notes.push(
              `${key} is only a placeholder: ${keepSecretCommand(secretName(name, key), place, name)}`,
            );
            return [key, value];
          }
          const secret = secretName(name, key);
          wanted.push({ name: secret, key, place, scheme: schemeOf(value), instead: value });
          return [key, secretReference(secret)];
        }
        if (looksSecret(key, value)) {
          notes.push(
            `${key} looks like a secret, and stands in the file in the clear; to keep it apart: ${keepSecretCommand(secretName(name, key), place, name)}`,
          );
        }
        return [key, value];
      }),
    );
  }
  for (const secret of secretsIn(entry)) {
    if (wanted.some((one) => one.name === secret) || kept.includes(secret)) continue;
    if (canAsk && isSecretOf(secret, name)) {
      wanted.push({ name: secret, ...placeOf(secret, name, entry), scheme: "" });
    }
  }
  notes.push(...notesOfArguments(entry));
  return { name, entry: result, wanted, notes };
}

/** Where a person would look for it: under its key in `env` or `headers`, else as what its name ends in. */
function placeOf(
  secret: string,
  server: string,
  entry: JsonObject,
): Pick<WantedSecret, "key" | "place" | "within"> {
  for (const place of ["env", "headers"] as const) {
    const values = entry[place];
    if (!isJsonObject(values)) continue;
    for (const [key, text] of Object.entries(values)) {
      if (typeof text !== "string" || !secretsIn(text).includes(secret)) continue;
      return { key, place, within: text === secretReference(secret) ? undefined : text };
    }
  }
  return { key: secret.slice(secretName(server, "").length), place: "env", within: "" };
}

function notesOfArguments(entry: JsonObject): string[] {
  const { args, url } = entry;
  const words = [...(Array.isArray(args) ? args : []), url ?? ""].filter(
    (word) => typeof word === "string",
  );
  const placeholder = words.find(isPlaceholderArgument);
  return [
    ...(placeholder === undefined
      ? []
      : [
          `${JSON.stringify(placeholder)} is only a placeholder: put your own in its place in the file`,
        ]),
    ...(hasSecretInLine(entry) ? [secretInLine] : []),
  ];
}
