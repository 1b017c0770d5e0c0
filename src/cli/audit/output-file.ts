import { rmSync } from "node:fs";
import { open, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";

/** A file that is written bit by bit, and there whole or not at all. */
export interface OutputFile {
  write(text: string): Promise<void>;
  /** Puts it in the place of what was there. */
  finish(): Promise<void>;
  /** Leaves what was there as it was; after `finish` it does nothing. */
  abandon(): Promise<void>;
  /** As `abandon`, at once, for the end of the process. */
  abandonNow(): void;
}

/**
 * Begins a file that this user alone can read. A device or a pipe (`/dev/stdout`) is written as it is.
 * @throws the operating system's error
 */
export async function openOutputFile(path: string): Promise<OutputFile> {
  const status = await stat(path).catch(() => undefined);
  const isOther = status !== undefined && !status.isFile();
  const partial = isOther ? path : join(dirname(path), `.${basename(path)}.${process.pid}.part`);
  const handle = await open(partial, isOther ? "w" : "wx", 0o600);
  let isOpen = true;
  const close = async (): Promise<void> => {
    if (isOpen) await handle.close();
    isOpen = false;
  };
  let isFinished = false;
  return {
    async write(text) {
      await handle.writeFile(text);
    },
    async finish() {
      await close();
      if (!isOther) await rename(partial, path);
      isFinished = true;
    },
    async abandon() {
      await close();
      if (!isOther && !isFinished) await rm(partial, { force: true });
    },
    abandonNow() {
      if (!isOther && !isFinished) rmSync(partial, { force: true });
    },
  };
}
