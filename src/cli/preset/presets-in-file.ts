import { definitionOf } from "../../client/gateway-answers.ts";
import type { PresetRow } from "../../client/tool-server.ts";
import { isJsonObject } from "../../core/json.ts";
import type { JsonObject } from "../../core/json.ts";
import { presetSummary } from "../../core/preset-summary.ts";

/**
 * The presets of a configuration file as it is written; nothing of it is filled in, no server is asked.
 * @throws AppError `usage` (TagFilterFault) for a filter that would not be loaded
 */
export function presetsInFile({ presets, mcpServers }: JsonObject): PresetRow[] {
  const servers = serversIn(mcpServers);
  return Object.entries(isJsonObject(presets) ? presets : {}).map(([name, entry]) => {
    const definition = definitionOf(isJsonObject(entry) ? entry : {});
    const { servers: chosen, missing } = presetSummary(definition, servers);
    return { name, definition, servers: chosen, missing };
  });
}

function serversIn(
  mcpServers: JsonObject[string] | undefined,
): { name: string; tags: string[]; disabled: boolean }[] {
  if (!isJsonObject(mcpServers)) return [];
  return Object.entries(mcpServers).map(([name, entry]) => {
    const { tags, disabled } = isJsonObject(entry) ? entry : {};
    return {
      name,
      tags: Array.isArray(tags) ? tags.filter((tag) => typeof tag === "string") : [],
      disabled: disabled === true,
    };
  });
}
