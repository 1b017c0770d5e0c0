import { randomBytes } from "node:crypto";
import { closeSync, openSync, readFileSync, statSync, unlinkSync, writeSync } from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "../core/errors.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import { removeFile, storeError } from "./private-file.ts";

/** Longest time somebody else's lock is waited for, in milliseconds; a renewal asks a server meanwhile. */
const patienceMs = 30_000;
/** A lock file without a readable owner is younger than this while it is being written. */
const writingMs = 2000;
const pollMs = 15;

/** Marks of the locks that this process holds. Another process's may bear its pid: pids are used again. */
const held = new Set<string>();

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
  held.add(mark);
  try {
    while (!take(path, mark)) {
      if (isStale(path)) breakLock(path, mark);
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
  } finally {
    held.delete(mark);
  }
}

// Looking and acting is one step each, without a turn for anything else of this process in between: what was seen a
// moment ago of another process's lock must not be long ago when it is acted on.

function take(path: string, mark: string): boolean {
  let file: number;
  try {
    file = openSync(path, "wx", 0o600);
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw storeError("lock", path, error);
  }
  try {
    writeSync(file, mark);
    return true;
  } catch (error) {
    unlinkSync(path);
    throw storeError("lock", path, error);
  } finally {
    closeSync(file);
  }
}

function isStale(path: string): boolean {
  try {
    const mark = readFileSync(path, "utf8");
    const pid = Number(mark.split(" ")[0]);
    if (pid === process.pid) return !held.has(mark);
    if (pid > 0) return !isAlive(pid);
    return ageMs(path) > writingMs;
  } catch {
    // It went away, or cannot be read: trying again will tell.
    return false;
  }
}

function ageMs(path: string): number {
  return Date.now() - statSync(path).mtimeMs;
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
function breakLock(path: string, mark: string): void {
  const breaking = `${path}.breaking`;
  if (!take(breaking, mark)) {
    // Whoever was at it may have died in between.
    if (isOld(breaking)) removeQuietly(breaking);
    return;
  }
  try {
    if (isStale(path)) removeQuietly(path);
  } finally {
    removeQuietly(breaking);
  }
}

function isOld(path: string): boolean {
  try {
    return ageMs(path) > writingMs;
  } catch {
    return false;
  }
}

/** Somebody else may have been faster. */
function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The next one who waits tries again.
  }
}
