import type { Json, JsonObject } from "../../core/json.ts";
import { isSecretOf, secretsIn } from "../../core/secret-reference.ts";
import { quoteForShell } from "../../core/shell-quote.ts";

/**
 * Why an entry must not have its references to secrets: a server gets none that is kept for another one, and shares
 * none. What the entry in the file has already was written by its owner.
 */
export function faultOfReferences(
  name: string,
  entry: JsonObject,
  entries: ReadonlyMap<string, Json>,
): string | undefined {
  const present = secretsIn(entries.get(name));
  const wanted = secretsIn(entry).filter((secret) => !present.includes(secret));
  const strange = wanted.find((secret) => !isSecretOf(secret, name));
  if (strange !== undefined) return `it refers to the secret ${strange}, which is not its own`;
  for (const [other, written] of entries) {
    const taken = other === name ? [] : secretsIn(written);
    const clash = wanted.find((secret) => taken.includes(secret));
    if (clash !== undefined) return `${quoteForShell(other)} has the secret ${clash} already`;
  }
  return undefined;
}
