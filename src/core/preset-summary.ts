import type { Preset } from "./configuration.ts";
import { presetCovers } from "./selection.ts";
import type { SelectableServer } from "./selection.ts";
import { anyOfTags, parseTagFilter } from "./tag-filter.ts";

/** What a preset comes to among certain servers. */
export interface PresetEffect {
  /** Those it chooses that are not switched off. */
  servers: string[];
  /** What it names and is not among them. */
  missing: { servers: string[]; tags: string[] };
}

/** @throws TagFilterFault */
export function presetSummary(
  preset: Preset,
  servers: readonly (SelectableServer & { disabled: boolean })[],
): PresetEffect {
  const covers = presetCovers(preset);
  const names = new Set(servers.map(({ name }) => name));
  const tags = new Set(servers.flatMap((server) => server.tags));
  return {
    servers: servers
      .filter((server) => !server.disabled && covers(server))
      .map((server) => server.name),
    missing: {
      servers: (preset.servers ?? []).filter((server) => !names.has(server)),
      tags: tagsNamed(preset).filter((tag) => !tags.has(tag)),
    },
  };
}

/** Each once. */
function tagsNamed({ tags = [], filter }: Preset): string[] {
  const inFilter = filter === undefined ? [] : parseTagFilter(filter).tags;
  return [...new Set([...anyOfTags(tags).tags, ...inFilter])];
}
