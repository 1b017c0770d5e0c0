import type { Stats } from "node:fs";
import { lstat, readlink, realpath, stat } from "node:fs/promises";
import { basename, dirname, isAbsolute, join, relative, resolve, sep } from "node:path";
import { readRegularFile } from "../config/read-regular-file.ts";
import { replaceFile } from "../config/replace-file.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { setupProblem } from "./setup-editor.ts";

/** `~/.claude.json` keeps a history of its own and grows; what is larger is not a file that people or clients write. */
const largestSetupBytes = 4 * 1024 * 1024;

/** A client's file as it was read, and the one way to change it. */
export interface OpenSetupFile {
  /** Where it is read and written, links followed. */
  readonly path: string;
  /** Undefined where there is none. */
  readonly text: string | undefined;
  /**
   * Replaces the file as a whole, by a rename, or removes it. One that is there keeps mode and owner.
   * @returns the folders that were made for it, the outermost first
   * @throws AppError `config_invalid`, and nothing is changed: somebody else wrote it meanwhile, or the system refuses
   */
  save(text: string | undefined): Promise<string[]>;
}

/**
 * Reads a file of a client. Links are followed where they lead to a file of this user below the same root, as a manager
 * of dotfiles lays them; elsewhere nothing is read or written.
 * @param isPrivate whether a file or folder that is made is for its owner alone
 * @throws AppError `config_invalid` for what cannot be edited
 */
export async function openSetupFile(
  named: string,
  root: string,
  isPrivate: boolean,
  uid: number | undefined = process.getuid?.(),
): Promise<OpenSetupFile> {
  const path = await placeOf(named, root, uid);
  const found = await readText(path);
  const look = async (): Promise<void> => {
    const now = await placeOf(named, root, uid);
    if (now === path && (await readText(path))?.text === found?.text) return;
    throw setupProblem(named, "was changed meanwhile", "try again");
  };
  return {
    path,
    text: found?.text,
    async save(text) {
      if (text !== undefined && Buffer.byteLength(text) > largestSetupBytes) {
        throw setupProblem(named, "would be larger than 4 MiB");
      }
      return replaceFile(path, text, {
        found: found?.status,
        folderMode: isPrivate ? 0o700 : 0o777,
        fileMode: isPrivate ? 0o600 : 0o666,
        look,
        refuse: (reason, hint) => setupProblem(named, reason, hint),
      });
    },
  };
}

/** Where a file is, or would be made, with all links resolved. */
async function placeOf(named: string, root: string, uid: number | undefined): Promise<string> {
  const asWritten = resolve(named);
  const realRoot = await realPlace(resolve(root));
  const place = await realPlace(asWritten);
  const expected = join(realRoot, relative(resolve(root), asWritten));
  if (place === expected && !(await isLink(asWritten))) return place;
  const leadsTo = `a link leads to ${quoteForShell(place)}`;
  if (!isBelow(place, realRoot)) {
    throw setupProblem(
      named,
      `is not written: ${leadsTo}, outside of ${quoteForShell(root)}`,
      "edit that file by hand, or put a file in the link's place",
    );
  }
  const status = await statusOf(place);
  if (status === undefined) {
    throw setupProblem(
      named,
      `is not written: ${leadsTo}, where nothing is`,
      "mend or remove the link",
    );
  }
  if (uid !== undefined && status.uid !== uid) {
    throw setupProblem(named, `is not written: ${leadsTo}, which belongs to another user`);
  }
  return place;
}

function isBelow(path: string, root: string): boolean {
  const way = relative(root, path);
  return way !== "" && way !== ".." && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** The real path of what is there, or of the nearest folder that is, with the rest as it was written. */
async function realPlace(path: string, rest: readonly string[] = [], links = 0): Promise<string> {
  try {
    return join(await realpath(path), ...rest);
  } catch (error) {
    const code = systemErrorCode(error);
    if (code !== "ENOENT") throw setupProblem(path, `cannot be read (${codeOf(error)})`);
    const target = await readlink(path).catch(() => undefined);
    // A link to what is not there.
    if (target !== undefined && links < 40) {
      return realPlace(resolve(dirname(path), target), rest, links + 1);
    }
    const around = dirname(path);
    return around === path
      ? join(path, ...rest)
      : realPlace(around, [basename(path), ...rest], links);
  }
}

async function isLink(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isSymbolicLink();
  } catch {
    return false;
  }
}

async function statusOf(path: string): Promise<Stats | undefined> {
  try {
    return await stat(path);
  } catch {
    return undefined;
  }
}

async function readText(path: string): Promise<{ text: string; status: Stats } | undefined> {
  const found = await readRegularFile(path, { mostBytes: largestSetupBytes, noFollow: true });
  switch (found.kind) {
    case "read": {
      const { text, status } = found;
      if ((status.mode & 0o222) !== 0) return { text, status };
      throw setupProblem(path, "is write-protected", `chmod u+w ${quoteForShell(path)}`);
    }
    case "absent":
      return undefined;
    case "unreadable":
      throw setupProblem(path, `cannot be read (${found.code})`);
    case "irregular":
      throw setupProblem(path, "is not a regular file");
    case "too-large":
      throw setupProblem(path, "is larger than 4 MiB");
    case "no-text":
      throw setupProblem(path, "is not UTF-8 text");
  }
}

function codeOf(error: unknown): string {
  return systemErrorCode(error) ?? "unknown error";
}
