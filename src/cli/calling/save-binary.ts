import { access, constants, mkdtemp, rename, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join } from "node:path";
import { AppError } from "../../core/errors.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { systemErrorCode } from "../../core/system-error-code.ts";

/** File name endings for what tools send; anything else is `.bin`. */
const endings: Readonly<Record<string, string>> = {
  "image/png": ".png",
  "image/jpeg": ".jpg",
  "image/gif": ".gif",
  "image/webp": ".webp",
  "image/svg+xml": ".svg",
  "audio/wav": ".wav",
  "audio/mpeg": ".mp3",
  "audio/ogg": ".ogg",
  "application/pdf": ".pdf",
  "application/zip": ".zip",
  "application/gzip": ".gz",
  "application/json": ".json",
  "text/plain": ".txt",
};

/**
 * Finds out before a tool is called whether its answer can be kept where the user wants it.
 * @throws AppError `usage`
 */
export async function checkOutput(path: string): Promise<void> {
  const folder = dirname(path);
  try {
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    const absent = systemErrorCode(error) === "ENOENT";
    throw new AppError("usage", `--output: cannot write into ${quoteForShell(folder)}`, {
      hint: absent
        ? `mkdir -p ${quoteForShell(folder)}`
        : "Choose a folder that you may write into",
      cause: error,
    });
  }
  const status = await stat(path).catch(() => undefined);
  if (status?.isDirectory()) {
    throw new AppError("usage", `--output: ${quoteForShell(path)} is a folder, not a file`, {
      hint: "Add a file's name to it",
    });
  }
}

/** The place for the answer's `index`th file (from 0): the path given, then `name-2.ext`, `name-3.ext`, … */
export function numberedPath(path: string, index: number): string {
  if (index === 0) return path;
  const ending = extname(path);
  return join(dirname(path), `${basename(path, ending)}-${index + 1}${ending}`);
}

/** Writes a file whole or not at all, over one that is there. */
export async function saveFile(path: string, bytes: Uint8Array): Promise<void> {
  const status = await stat(path).catch(() => undefined);
  // A device or a pipe (`/dev/stdout`) takes bytes, but nothing can be put in its place.
  if (status !== undefined && !status.isFile()) {
    await writeFile(path, bytes);
    return;
  }
  const partial = join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  try {
    await writeFile(partial, bytes, { flag: "wx" });
    await rename(partial, path);
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** A folder of this user's own for answers that nobody asked to keep but that must not be lost. */
export function makeRescueFolder(): Promise<string> {
  return mkdtemp(join(tmpdir(), "onedoor-"));
}

/** A name for the answer's `index`th file, its ending by what the server says it is. */
export function rescueName(index: number, mimeType: string): string {
  const type = mimeType.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  return `answer-${index + 1}${endings[type] ?? ".bin"}`;
}
