import { lstat } from "node:fs/promises";
import { resolve } from "node:path";
import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import { closest } from "../../../core/suggest.ts";
import { hostIds } from "../../../hosts/host.ts";
import type { HostId, Machine } from "../../../hosts/host.ts";
import { hostFiles, namedFile } from "../../../hosts/host-files.ts";
import type { NamedFile } from "../../../hosts/host-files.ts";
import { shownWord } from "../../shown-word.ts";

/** A file to look into, and whether somebody named it, so that it has to be there. */
export interface Source {
  file: NamedFile;
  isNamed: boolean;
}

/**
 * The files that the words of `agent mcp import` name: a host's, or one by its path; without words, those of a user of
 * every host. A project's are never looked for.
 * @throws AppError `usage` for a word that is neither; `not_found` for a path where nothing is
 */
export async function findSources(
  words: readonly string[],
  machine: Machine,
  folder: string,
): Promise<Source[]> {
  const all = hostFiles(machine);
  if (words.length === 0) return all.map((file) => ({ file, isNamed: false }));
  const sources: Source[] = [];
  for (const word of new Set(words)) {
    if (isHostId(word)) {
      const own = all.filter(({ host }) => host === word);
      sources.push(...own.map((file) => ({ file, isNamed: false })));
    } else sources.push({ file: await fileOf(word, machine, folder), isNamed: true });
  }
  const seen = new Set<string>();
  return sources.filter(({ file: { path } }) => !seen.has(path) && seen.add(path));
}

function isHostId(word: string): word is HostId {
  return hostIds.some((host) => host === word);
}

async function fileOf(word: string, machine: Machine, folder: string): Promise<NamedFile> {
  const path = resolve(folder, word);
  try {
    await lstat(path);
  } catch {
    if (/[\\/.]/u.test(word)) {
      throw new AppError("not_found", `There is no file ${quoteForShell(path)}`);
    }
    const near = closest(word, hostIds);
    throw new AppError("usage", `Neither a program nor a file: ${shownWord(word)}`, {
      hint:
        near === undefined ? `one of ${hostIds.join(", ")}, or a path` : `did you mean ${near}?`,
    });
  }
  return namedFile(path, machine);
}
