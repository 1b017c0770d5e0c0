import { randomBytes } from "node:crypto";
import type { Stats } from "node:fs";
import { mkdir, open, rename, rmdir, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { inOwnTurn } from "./own-turn.ts";

export interface ReplaceOptions {
  /** The file that is replaced, whose mode and owner are kept; undefined: there is none. */
  found: Stats | undefined;
  /** Of folders and a file that are made, less what the process's umask takes away. */
  folderMode: number;
  fileMode: number;
  /** The last look at what is there; it throws where that is not what was edited. */
  look?: () => Promise<void>;
  /** How the file is refused, in the words of whoever asked: `cannot be written (EACCES)`, `try again`. */
  refuse: (reason: string, hint?: string) => AppError;
}

/**
 * Puts a text in place of a file by a rename, whole or not at all, or removes the file. Between the last look at what
 * is there and the rename remains a moment that no system closes; to our own processes it is closed.
 * @param text undefined: the file is removed
 * @returns the folders that were made for it, the outermost first
 * @throws what `look` throws; what `refuse` makes; nothing is changed then
 */
export async function replaceFile(
  file: string,
  text: string | undefined,
  { found, folderMode, fileMode, look, refuse }: ReplaceOptions,
): Promise<string[]> {
  let made: string[] = [];
  let draft: string | undefined;
  try {
    if (text !== undefined) {
      made = await makeFolders(dirname(file), folderMode);
      draft = join(dirname(file), `.${basename(file)}.${randomBytes(8).toString("hex")}`);
      await writeDraft(draft, text, found, fileMode);
    }
    const isDone = await inOwnTurn(file, async () => {
      await look?.();
      await (draft === undefined ? unlink(file) : rename(draft, file));
    });
    if (!isDone) throw refuse("is being changed by another program", "try again");
    return made;
  } catch (error) {
    if (draft !== undefined) await unlink(draft).catch(() => undefined);
    await removeEmptyFolders(made);
    if (error instanceof AppError) throw error;
    throw refuse(`cannot be written (${systemErrorCode(error) ?? "unknown error"})`);
  }
}

/** Removes folders, the innermost first, until one has something in it. */
export async function removeEmptyFolders(folders: readonly string[]): Promise<void> {
  for (const folder of folders.toReversed()) {
    try {
      await rmdir(folder);
    } catch {
      return;
    }
  }
}

async function writeDraft(
  draft: string,
  text: string,
  found: Stats | undefined,
  fileMode: number,
): Promise<void> {
  // What replaces a file may be secret until it has that one's mode.
  const handle = await open(draft, "wx", found === undefined ? fileMode : 0o600);
  try {
    await handle.writeFile(text);
    if (found !== undefined) {
      const own = await handle.stat();
      if (own.uid !== found.uid || own.gid !== found.gid) {
        await handle.chown(found.uid, found.gid);
      }
      await handle.chmod(found.mode & 0o777);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** @returns those that were not there */
async function makeFolders(innermost: string, mode: number): Promise<string[]> {
  const outermost = await mkdir(innermost, { recursive: true, mode });
  if (outermost === undefined) return [];
  const folders = [innermost];
  for (let at = innermost; at !== outermost && dirname(at) !== at;) {
    at = dirname(at);
    folders.unshift(at);
  }
  return folders;
}
