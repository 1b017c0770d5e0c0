import { previewServerEntry } from "../../../core/preview-server-entry.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import type { NamedFile } from "../../../hosts/host-files.ts";
import { lackNotes } from "../lacks-here.ts";
import type { Source } from "./find-sources.ts";
import type { ImportCandidate, SkippedCandidate } from "./import-plan.ts";

export interface UnreadFile {
  source: Source;
  reason: string;
}

/** What became of what was found. */
export interface DoneImport {
  servers: readonly ImportCandidate[];
  /** Secrets that are kept for them, by name. */
  values: ReadonlyMap<string, string>;
  skipped: readonly SkippedCandidate[];
}

/** What was done, line by line. */
export function toldImport(
  servers: readonly ImportCandidate[],
  how: { options: { dryRun: boolean }; isAsked: boolean; backup: string | null },
): string[] {
  const { options, isAsked, backup } = how;
  if (options.dryRun) return ["Nothing was changed (--dry-run)"];
  if (servers.length === 0) return ["Nothing was imported"];
  const names = servers.map(({ name }) => quoteForShell(name)).join(", ");
  const lines = [`Imported ${names}`];
  if (backup !== null) lines.push(`The file as it was: ${quoteForShell(backup)}`);
  const ready = servers.filter(({ lacks }) => lacks.length === 0);
  if (!isAsked && ready.length > 0) {
    const words = ready.map(({ name }) => quoteForShell(name)).join(" ");
    lines.push(`Disabled, since nobody was asked: agent mcp enable ${words}`);
  }
  for (const { name, lacks } of servers) {
    lines.push(...lackNotes(name, lacks).map((note) => `${quoteForShell(name)}: ${note}`));
  }
  return lines;
}

/** What `--json` gives. */
export function importAsJson(
  file: string,
  backup: string | null,
  { servers, skipped }: DoneImport,
  unread: readonly UnreadFile[],
  { dryRun }: { dryRun: boolean },
): object {
  return {
    file,
    backup,
    dryRun,
    imported: servers.map((server) => ({
      name: server.name,
      foundAs: server.foundAs,
      from: server.from.map(shownPlace),
      entry: previewServerEntry(server.entry),
      notes: [...server.notes, ...lackNotes(server.name, server.lacks)],
    })),
    skipped: [
      ...skipped.map(({ name, reason, from }) => ({
        name,
        from: shownPlace(from),
        reason,
      })),
      ...unread.map(({ source, reason }) => ({
        name: null,
        from: shownPlace(source.file),
        reason,
      })),
    ],
    conflicts: servers
      .filter((server) => server.replaces || server.name !== server.foundAs)
      .map((server) => ({ name: server.foundAs, as: server.name, replaced: server.replaces })),
  };
}

function shownPlace({ host, path }: NamedFile): { host: string | null; path: string } {
  return { host: host ?? null, path };
}
