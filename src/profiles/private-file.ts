import { constants } from "node:fs";
import { chmod, lstat, mkdir, open, readdir, rename, stat, unlink } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
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
    report(notMended(path, error));
  }
}

/**
 * Takes away what others are allowed in a directory of ours, where there is one, and in each file there, whether or
 * not anybody is about to read it. What keeps it from being done is reported, or left to whoever uses the directory.
 */
export async function closeDirectory(path: string, report: (line: string) => void): Promise<void> {
  if (windows) return;
  let names: string[];
  try {
    names = await readdir(path);
    await mendDirectory(path, report);
  } catch {
    return;
  }
  await Promise.all(
    names.map(async (name) => {
      const file = join(path, name);
      try {
        const { mode } = await lstat(file);
        // A link's own mode says nothing, and a directory there is none of ours.
        if ((mode & constants.S_IFMT) !== constants.S_IFREG || (mode & 0o077) === 0) return;
        await chmod(file, 0o600);
        report(mended(file, mode, 0o600));
      } catch (error) {
        // Another process may have replaced or removed it.
        if (systemErrorCode(error) !== "ENOENT") report(notMended(file, error));
      }
    }),
  );
}

function notMended(path: string, error: unknown): string {
  return `${path} is open to others and cannot be closed to them (${systemErrorCode(error) ?? "unknown"})`;
}

function octal(mode: number): string {
  return (mode & 0o777).toString(8).padStart(4, "0");
}

function mended(path: string, was: number, now: number): string {
  return `${path} was open to others (mode ${octal(was)}); it is ${octal(now)} now`;
}

/**
 * Reads a small file of ours. A link is not followed, and a mode looser than 0600 is mended and said, or said where it
 * cannot be mended.
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
        await file.chmod(0o600).then(
          () => options.report(mended(path, mode, 0o600)),
          // On a disk that is read-only, or where it is somebody else's who lets us read it: it is no less readable.
          (error: unknown) => options.report(notMended(path, error)),
        );
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

/** A file that is being written: beside its place, with room for its text. */
export interface PrivateDraft {
  /** Puts the file in its place, whole or not at all. @throws AppError `store_unavailable` */
  write(text: string): Promise<void>;
  /** Takes the draft away, where it was not written. Never throws. */
  discard(): Promise<void>;
}

/**
 * Begins a file that only its owner can read.
 * @param bytes the room that is taken on the disk for it; a longer text may find none
 * @throws AppError `store_unavailable`
 */
export async function draftPrivateFile(path: string, bytes: number): Promise<PrivateDraft> {
  const draft = join(dirname(path), `.${basename(path)}.${randomBytes(8).toString("hex")}.draft`);
  const orGone = async (work: (file: FileHandle) => Promise<void>, flags: string) => {
    try {
      const file = await open(draft, flags, 0o600);
      try {
        await work(file);
        await file.sync();
      } finally {
        await file.close();
      }
    } catch (error) {
      await removeFile(draft).catch(() => false);
      throw storeError("write", path, error);
    }
  };
  await orGone((file) => file.writeFile(Buffer.alloc(bytes, " ")), "wx");
  let isWritten = false;
  return {
    async write(text) {
      await orGone(async (file) => {
        await file.writeFile(text);
        await file.truncate(Buffer.byteLength(text));
      }, "r+");
      try {
        await rename(draft, path);
        isWritten = true;
      } catch (error) {
        throw storeError("write", path, error);
      }
    },
    async discard() {
      if (!isWritten) await removeFile(draft).catch(() => false);
    },
  };
}

/**
 * Writes a file that only its owner can read, whole or not at all: beside it first, synced, then renamed.
 * @throws AppError `store_unavailable`; what was there before is then still there
 */
export async function writePrivateFile(path: string, text: string): Promise<void> {
  const draft = await draftPrivateFile(path, 0);
  try {
    await draft.write(text);
  } finally {
    await draft.discard();
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
