import { randomBytes } from "node:crypto";
import { open, readFile, stat } from "node:fs/promises";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { removeFile, storeError } from "./private-file.ts";

/** Longest time somebody else's lock is waited for, in milliseconds; a renewal asks a server meanwhile. */
const patienceMs = 30_000;
/** A lock file without a readable owner is younger than this while it is being written. */
const writingMs = 2000;
const pollMs = 15;

/**
 * Runs `work` while no other process of this machine runs under the same lock file. A lock whose process
 * has died is taken over.
 * @param signal ends the wait
 * @throws AppError `store_unavailable` when the lock stays taken for 30 s; what `work` throws
 */
export async function withProfileLock<T>(
  path: string,
  work: () => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const mark = `${process.pid} ${randomBytes(8).toString("hex")}`;
  const deadline = performance.now() + patienceMs;
  while (!(await take(path, mark))) {
    if (await isStale(path)) await breakLock(path, mark);
    if (performance.now() > deadline) {
      throw new AppError("store_unavailable", "Another process holds the lock of this profile", {
        hint: `When no other agent runs: rm ${path}`,
      });
    }
    await delay(pollMs + Math.random() * pollMs, undefined, { signal });
  }
  try {
    return await work();
  } finally {
    await removeFile(path).catch(() => false);
  }
}

async function take(path: string, mark: string): Promise<boolean> {
  try {
    const file = await open(path, "wx", 0o600);
    try {
      await file.writeFile(mark);
    } finally {
      await file.close();
    }
    return true;
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw storeError("lock", path, error);
  }
}

async function isStale(path: string): Promise<boolean> {
  try {
    const pid = Number((await readFile(path, "utf8")).split(" ")[0]);
    if (pid > 0) return !isAlive(pid);
    return Date.now() - (await stat(path)).mtimeMs > writingMs;
  } catch {
    // It went away, or cannot be read: trying again will tell.
    return false;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemErrorCode(error) === "EPERM";
  }
}

/**
 * Removes a dead process's lock, under a lock of its own: of two that find it dead, the slower one must not
 * remove the lock that the faster one has taken since.
 */
async function breakLock(path: string, mark: string): Promise<void> {
  const breaking = `${path}.breaking`;
  if (!(await take(breaking, mark))) {
    // Whoever was at it may have died in between.
    const age = await stat(breaking).then(
      ({ mtimeMs }) => Date.now() - mtimeMs,
      () => 0,
    );
    if (age > writingMs) await removeFile(breaking);
    return;
  }
  try {
    if (await isStale(path)) await removeFile(path);
  } finally {
    await removeFile(breaking).catch(() => false);
  }
}
