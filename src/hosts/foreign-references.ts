import { referencesIn } from "../config/references.ts";
import type { JsonObject } from "../core/json.ts";
import { isSecretName, isSecretOf } from "../core/secret-reference.ts";

/** What says how a server is reached. All else of an entry is told to people and models, or is no text to fill. */
const reach: ReadonlySet<unknown> = new Set(["command", "args", "cwd", "env", "url", "headers"]);

/**
 * Why an entry that somebody else wrote must not be filled: it would be given another server's secret, a variable of
 * the gateway's own, or show a variable to whoever reads its texts. To be asked of the entry as it is in the end,
 * since pieces that are none can make a reference together.
 */
export function foreignReferenceFault(server: string, entry: JsonObject): string | undefined {
  for (const reference of referencesIn(entry)) {
    const { kind, name, path } = reference;
    if (kind === "secret" && !(isSecretName(name) && isSecretOf(name, server))) {
      return "asks for a secret that is not its own";
    }
    if (kind === "variable" && reference.isOwn) return "asks for a variable of the gateway's own";
    if (!reach.has(path[0])) return "asks for a variable or secret where nothing may be filled in";
  }
  return undefined;
}
