import { constants } from "node:fs";
import { chmod, mkdir, open, rename, stat, unlink } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { basename, dirname, join } from "node:path";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";

const windows = process.platform === "win32";

/** What a code of the system means, where people may not know it. */
const meanings = new Map([
  ["ENOSPC", "the disk is full"],
  ["EDQUOT", "the disk quota is used up"],
  ["EFBIG", "a file may not grow that long"],
  ["EROFS", "the disk is read-only"],
  ["EACCES", "permission denied"],
  ["EPERM", "not permitted"],
  ["ENOTDIR", "something on the way there is no directory"],
]);

/** A file of the key ring that cannot be used, as the user is told of it. */
export function storeError(doing: string, path: string, error: unknown): AppError {
  const code = systemErrorCode(error) ?? "failed";
  const meaning = meanings.get(code);
  return new AppError(
    "store_unavailable",
    `Cannot ${doing} ${path}: ${meaning === undefined ? code : `${meaning} (${code})`}`,
    {
      hint: "--config-dir <dir> keeps everything somewhere else",
      cause: error,
    },
  );
}

/** What lies in the place of a file of ours and was not written by us, by the error of reading it. */
const foreignProblems = new Map([
  ["ELOOP", "is a link"],
  ["EINVAL", "is no file"],
  ["EFBIG", "is too long"],
]);

/** What is wrong with a file that `readPrivateFile` refused to read; undefined for a failure of the disk. */
export function notOurs(error: unknown): string | undefined {
  if (!(error instanceof AppError)) return undefined;
  return foreignProblems.get(systemErrorCode(error.cause) ?? "");
}

/**
 * Makes a directory that only its owner can look into, and takes away what others were allowed in one
 * that exists.
 * @param report told when a mode had to be mended
 * @throws AppError `store_unavailable`
 */
export async function ensurePrivateDirectory(
  path: string,
  report: (line: string) => void,
): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw storeError("make the directory", path, error);
  }
  await mendDirectory(path, report);
}

/** Takes away what others are allowed in a directory of ours; one that cannot be mended is said. */
export async function mendDirectory(path: string, report: (line: string) => void): Promise<void> {
  if (windows) return;
  const { mode } = await stat(path).catch((error: unknown) => {
    throw storeError("read", path, error);
  });
  if ((mode & 0o077) === 0) return;
  try {
    await chmod(path, 0o700);
    report(mended(path, mode, 0o700));
  } catch (error) {
    report(
      `${path} is open to others and cannot be closed to them (${systemErrorCode(error) ?? "unknown"})`,
    );
  }
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

function mended(path: string, was: number, now: number): string {
  return `${path} was open to others (mode ${octal(was)}); it is ${octal(now)} now`;
}

/**
 * Reads a small file of ours. A link is not followed, and a mode looser than 0600 is mended and said.
 * @returns undefined when there is none
 * @throws AppError `store_unavailable`: unreadable, a link, no regular file, or longer than `maxBytes`
 */
export async function readPrivateFile(
  path: string,
  options: { maxBytes: number; report: (line: string) => void },
): Promise<string | undefined> {
  try {
    // Not through a link, and without waiting for the writer of a pipe. Windows knows neither flag.
    const flags = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0);
    const file = await open(path, constants.O_RDONLY | flags);
    try {
      const { mode, size } = await file.stat().then((found) => {
        if (!found.isFile()) throw Object.assign(new Error("not a file"), { code: "EINVAL" });
        return found;
      });
      if (size > options.maxBytes) throw Object.assign(new Error("too long"), { code: "EFBIG" });
      if (!windows && (mode & 0o077) !== 0) {
        await file.chmod(0o600);
        options.report(mended(path, mode, 0o600));
      }
      return await file.readFile("utf8");
    } finally {
      await file.close();
    }
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return undefined;
    throw storeError("read", path, error);
  }
}

/**
 * Writes a file that only its owner can read, whole or not at all: beside it first, synced, then renamed.
 * @throws AppError `store_unavailable`; what was there before is then still there
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString("hex")}.draft`);
  try {
    const file = await open(draft, "wx", 0o600);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(draft, path);
  } catch (error) {
    await removeFile(draft).catch(() => false);
    throw storeError("write", path, error);
  }
}

/** The name of the file that a draft of `writePrivateFile` was to become; undefined for any other name. */
export function draftOwner(name: string): string | undefined {
  return /^\.(.+)\.[\da-f]{16}\.draft$/u.exec(name)?.[1];
}

/**
 * @returns false when there was no such file
 * @throws AppError `store_unavailable`
 */
export async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return false;
    throw storeError("remove", path, error);
  }
}
