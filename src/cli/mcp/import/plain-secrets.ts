import { isJsonObject } from "../../../core/json.ts";
import type { JsonObject } from "../../../core/json.ts";
import { secretName, secretReference } from "../../../core/secret-reference.ts";
import { looksSecret, schemeOf } from "../secret-values.ts";

/** A secret that stands in an entry as it is. */
export interface PlainSecret {
  /** What it would be kept as. */
  name: string;
  value: string;
  place: "env" | "headers";
  key: string;
  /** What stands in its place then. */
  reference: string;
}

/** The values of `env` and `headers` that are secrets by their name or form, and no references. */
export function plainSecrets(server: string, entry: JsonObject): PlainSecret[] {
  return (["env", "headers"] as const).flatMap((place) => {
    const values = entry[place];
    if (!isJsonObject(values)) return [];
    return Object.entries(values).flatMap(([key, text]) => {
      if (typeof text !== "string" || !looksSecret(key, text)) return [];
      const before = text.startsWith(schemeOf(text)) ? schemeOf(text) : "";
      const value = text.slice(before.length);
      const name = secretName(server, key);
      return [{ name, value, place, key, reference: before + secretReference(name) }];
    });
  });
}

/** The entry with references in place of these secrets. */
export function withReferences(entry: JsonObject, secrets: readonly PlainSecret[]): JsonObject {
  const changed = { ...entry };
  for (const { place, key, reference } of secrets) {
    const values = changed[place];
    if (isJsonObject(values)) changed[place] = { ...values, [key]: reference };
  }
  return changed;
}
