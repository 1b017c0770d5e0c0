import type { PresetRow } from "../../client/tool-server.ts";
import type { Preset } from "../../core/configuration.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import type { Io } from "../context.ts";
import { detailedTable } from "../render/detailed-table.ts";
import { inLine } from "../render/foreign-text.ts";

type Page = Pick<Io, "foreign" | "stdoutIsTerminal" | "columns">;

/** `{name, definition: {servers?, tags?, filter?}, servers: [string], missing: {servers: [string], tags: [string]}}`. */
export function presetJson({ name, definition, servers, missing }: PresetRow): object {
  return { name, definition, servers, missing };
}

/** A table for people; what a preset names and is not there stands below it. */
export function presetTable(presets: readonly PresetRow[], io: Page): string {
  const rows = presets.map(({ name, definition, servers }) => [
    inLine(name, io, 100),
    servers.length === 0 ? "none" : inLine(servers.join(","), io, 200),
    inLine(saidDefinition(definition), io, 300),
  ]);
  const details = presets.map((preset) => inLine(saidMissing(preset), io, 300));
  return detailedTable([["NAME", "SERVERS NOW", "CHOOSES"], ...rows], details, io, [0]);
}

export function presetPage(preset: PresetRow, io: Page): string {
  const { name, definition, servers } = preset;
  const missing = saidMissing(preset);
  return [
    inLine(name, io, 200),
    `  chooses: ${inLine(saidDefinition(definition), io, 2_000)}`,
    `  servers now: ${servers.length === 0 ? "none" : inLine(servers.join(", "), io, 10_000)}`,
    ...(missing === "" ? [] : [`  ${inLine(missing, io, 10_000)}`]),
    "",
  ].join("\n");
}

/** In words. */
function saidDefinition({ servers, tags, filter }: Preset): string {
  const parts = [
    ...(servers === undefined ? [] : [`of ${servers.join(",")}`]),
    ...(tags === undefined ? [] : [`tagged ${tags.join(" or ")}`]),
    ...(filter === undefined ? [] : [`fitting ${filter}`]),
  ];
  return parts.length === 0 ? "all servers" : parts.join("; ");
}

/** Empty where all is there. */
export function saidMissing({ missing: { servers, tags } }: Pick<PresetRow, "missing">): string {
  const parts = [
    ...(servers.length === 0 ? [] : [`servers ${servers.join(", ")}`]),
    ...(tags.length === 0 ? [] : [`tags ${tags.join(", ")}`]),
  ];
  return parts.length === 0 ? "" : `not there: ${parts.join("; ")}`;
}

/** The command that saves it. */
export function saveCommand(name: string, { servers, tags, filter }: Preset): string {
  return [
    `agent preset save ${quoteForShell(name)}`,
    ...(servers === undefined ? [] : [`--servers ${quoteForShell(servers.join(","))}`]),
    ...(tags === undefined ? [] : [`--tags ${quoteForShell(tags.join(","))}`]),
    ...(filter === undefined ? [] : [`--filter ${quoteForShell(filter)}`]),
  ].join(" ");
}
