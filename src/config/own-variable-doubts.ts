import type { JsonObject } from "../core/json.ts";
import type { ConfigurationProblem } from "./configuration-problem.ts";
import { isPlainText, referencesIn } from "./references.ts";

/** Variables of the gateway's own in the entry of a server, as it is written: it would be handed what they hold. */
export function ownVariableDoubts(server: string, entry: JsonObject): ConfigurationProblem[] {
  return [...referencesIn(entry)].flatMap((reference) => {
    const path = ["mcpServers", server, ...reference.path];
    if (reference.kind === "secret" || !reference.isOwn || isPlainText(path)) return [];
    const reason = `hands ${reference.name}, a variable of the gateway's own, to a server`;
    return [{ path, reason, hint: "keep the value under a name without ONEDOOR_" }];
  });
}
