import { randomBytes } from "node:crypto";
import {
  closeSync,
  lstatSync,
  openSync,
  readFileSync,
  readlinkSync,
  symlinkSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { setTimeout as delay } from "node:timers/promises";
import { systemErrorCode } from "../core/system-error-code.ts";
import { processStart } from "./process-start.ts";

/** A lock file without a readable owner is younger than this while it is being written. */
const writingMs = 2000;
const pollMs = 15;

/** Marks of the locks that this process holds. Another process's may bear its pid: pids are used again. */
const held = new Set<string>();

/**
 * When a process started, as one word that no other process of the same pid has; null where nobody can say, undefined
 * when it has ended.
 */
export type StartOf = (pid: number) => Promise<string | null | undefined>;

export interface FileLockOptions {
  /** Longest time somebody else's lock is waited for. */
  patienceMs: number;
  /** Ends the wait. */
  signal?: AbortSignal | undefined;
  startOf?: StartOf | undefined;
}

/** Gives a lock back; what somebody else put in its place by hand stays. Never throws. */
export type ReleaseLock = () => void;

/**
 * Waits until no other process of this machine, and nobody else in this one, has the lock that a path names, and takes
 * it. A lock counts for as long as its process lives, however slow that is; one whose process has died is taken over,
 * also when another process has its pid now.
 * @returns undefined when it stays taken
 * @throws what the system refuses, as it is; what `signal` was aborted with
 */
export async function takeFileLock(
  path: string,
  { patienceMs, signal, startOf = processStart }: FileLockOptions,
): Promise<ReleaseLock | undefined> {
  const start = (await startOf(process.pid)) ?? "";
  const mark = `${process.pid} ${randomBytes(8).toString("hex")} ${start}`;
  const deadline = performance.now() + patienceMs;
  held.add(mark);
  let isTaken = false;
  try {
    while (!(isTaken = take(path, mark))) {
      const stale = await staleMark(path, startOf);
      if (stale !== undefined) breakLock(path, stale, mark);
      if (performance.now() > deadline) return undefined;
      await delay(pollMs + Math.random() * pollMs, undefined, { signal }).catch(() =>
        signal?.throwIfAborted(),
      );
    }
  } finally {
    if (!isTaken) held.delete(mark);
  }
  return () => {
    if (isMarked(path, mark)) removeQuietly(path);
    held.delete(mark);
  };
}

// Acting is one step each, without a turn for anything else of this process in between. What was found out before it
// is of one mark, which nobody makes again: whose process has died, stays so.

/** A link whose target is the mark: it needs no room on a full disk, and is never there without its mark. */
function take(path: string, mark: string): boolean {
  try {
    symlinkSync(mark, path);
    return true;
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === "EEXIST") return false;
    if (code !== "EPERM" && code !== "ENOTSUP") throw error;
    return takeFile(path, mark);
  }
}

/** Where there are no links: on Windows for most people, on some file systems. A link there excludes it, too. */
function takeFile(path: string, mark: string): boolean {
  let file: number;
  try {
    file = openSync(path, "wx", 0o600);
  } catch (error) {
    if (systemErrorCode(error) === "EEXIST") return false;
    throw error;
  }
  try {
    writeSync(file, mark);
    return true;
  } catch (error) {
    unlinkSync(path);
    throw error;
  } finally {
    closeSync(file);
  }
}

function markOf(path: string): string {
  return lstatSync(path).isSymbolicLink() ? readlinkSync(path) : readFileSync(path, "utf8");
}

/** The mark of a lock that nobody holds any more; undefined for any other. */
async function staleMark(path: string, startOf: StartOf): Promise<string | undefined> {
  try {
    const mark = markOf(path);
    const pid = pidOf(mark);
    if (pid === process.pid) return held.has(mark) ? undefined : mark;
    if (pid > 0) return (await isRunning(pid, mark.split(" ")[2], startOf)) ? undefined : mark;
    return ageMs(path) > writingMs ? mark : undefined;
  } catch {
    // It went away, or cannot be read: trying again will tell.
    return undefined;
  }
}

/** NaN of a mark that names none. */
function pidOf(mark: string): number {
  return Number.parseInt(mark, 10);
}

/** Whether the process that wrote its pid and start is there; without a start, whether one of that pid is. */
async function isRunning(
  pid: number,
  start: string | undefined,
  startOf: StartOf,
): Promise<boolean> {
  if (!isAlive(pid)) return false;
  if (start === undefined || start === "") return true;
  const found = await startOf(pid);
  return found === null || found === start;
}

/** Of what was made by a clock that was ahead, too. */
function ageMs(path: string): number {
  return Math.abs(Date.now() - lstatSync(path).mtimeMs);
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
function breakLock(path: string, stale: string, mark: string): void {
  const breaking = `${path}.breaking`;
  if (!take(breaking, mark)) {
    // Whoever was at it may have died in between.
    if (isOld(breaking)) removeQuietly(breaking);
    return;
  }
  try {
    // One that names nobody may be another by now, which is just being written.
    if (isMarked(path, stale) && (pidOf(stale) > 0 || isOld(path))) removeQuietly(path);
  } finally {
    removeQuietly(breaking);
  }
}

function isMarked(path: string, mark: string): boolean {
  try {
    return markOf(path) === mark;
  } catch {
    return false;
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
