import { open, readdir, readFile, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import { systemErrorCode } from "../../../core/system-error-code.ts";

const mostKept = 10;

/**
 * Copies a file beside itself, for its owner alone: `<file>.<time>.bak`. Of those, the newest ten are kept.
 * @returns where the copy is
 * @throws AppError `internal`
 */
export async function backUpFile(file: string, now: number): Promise<string> {
  const time = new Date(now).toISOString().replaceAll(/[-:]|\.\d+/gu, "");
  try {
    const content = await readFile(file);
    const copy = await writeNew(`${file}.${time}`, content);
    await removeOld(file).catch(() => undefined);
    return copy;
  } catch (error) {
    const code = systemErrorCode(error) ?? "unknown error";
    throw new AppError("internal", `No backup of ${quoteForShell(file)} can be made: ${code}`, {
      hint: "nothing was changed",
      cause: error,
    });
  }
}

async function writeNew(stem: string, content: Buffer): Promise<string> {
  for (let number = 1; ; number += 1) {
    const path = `${stem}${number === 1 ? "" : `-${number}`}.bak`;
    try {
      // Never into what is there, and through no link.
      const handle = await open(path, "wx", 0o600);
      try {
        await handle.writeFile(content);
        await handle.sync();
      } finally {
        await handle.close();
      }
      return path;
    } catch (error) {
      if (systemErrorCode(error) !== "EEXIST" || number >= mostKept) throw error;
    }
  }
}

async function removeOld(file: string): Promise<void> {
  const folder = dirname(file);
  const name = basename(file);
  const copies = (await readdir(folder)).filter(
    (other) =>
      other.startsWith(`${name}.`) &&
      /^\.\d{8}T\d{6}Z(?:-\d+)?\.bak$/u.test(other.slice(name.length)),
  );
  const old = copies.toSorted().slice(0, -mostKept);
  await Promise.all(old.map((other) => unlink(join(folder, other))));
}
