import type { Presets, ServerConfiguration } from "../core/configuration.ts";
import { closest } from "../core/suggest.ts";
import { parseTagFilter, TagFilterFault } from "../core/tag-filter.ts";
import { oneLine } from "../core/terminal-text.ts";
import { faultOfVisibleName } from "../core/visible-name.ts";
import type { Findings } from "./findings.ts";

/**
 * What is wrong with presets, and what they name that is not there: they go on without it, and choose less.
 * @param findings at `presets`
 * @param servers by name, switched off or not
 */
export function checkPresets(
  presets: Presets,
  servers: ReadonlyMap<string, ServerConfiguration>,
  findings: Findings,
): void {
  const tags = new Set([...servers.values()].flatMap((server) => server.tags));
  for (const [name, preset] of presets) {
    const found = findings.at(name);
    const fault = faultOfVisibleName(name, "preset");
    if (fault !== undefined) found.problem([], fault);
    for (const key of ["servers", "tags"] as const) {
      if (preset[key]?.length === 0) found.doubt([key], "is empty, so the preset chooses nothing");
      for (const [index, named] of (preset[key] ?? []).entries()) {
        const known = key === "servers" ? [...servers.keys()] : [...tags];
        if (known.includes(named)) continue;
        const what = key === "servers" ? "there is no such server" : "no server has this tag";
        found.doubt([key, index], what, didYouMean(named, known));
      }
    }
    if (preset.filter !== undefined) checkFilter(preset.filter, tags, found);
    if (Object.values(preset).every((value) => value === undefined)) {
      found.doubt([], "says nothing, so it chooses every server");
    }
  }
}

function checkFilter(filter: string, tags: ReadonlySet<string>, found: Findings): void {
  try {
    for (const tag of parseTagFilter(filter).tags) {
      if (tags.has(tag)) continue;
      found.doubt(["filter"], `no server has the tag ${shown(tag)}`, didYouMean(tag, tags));
    }
  } catch (error) {
    if (!(error instanceof TagFilterFault)) throw error;
    found.problem(["filter"], `character ${error.column}: ${error.reason}`, error.hint);
  }
}

function didYouMean(named: string, known: Iterable<string>): string | undefined {
  const meant = closest(named, known);
  return meant === undefined ? undefined : `did you mean ${shown(meant)}?`;
}

function shown(name: string): string {
  return JSON.stringify(oneLine(name, 80));
}
