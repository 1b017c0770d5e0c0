import { AppError } from "../core/errors.ts";
import { quoteForShell } from "../core/shell-quote.ts";
import { takeFileLock } from "../runtime/file-lock.ts";
import type { ReleaseLock, StartOf } from "../runtime/file-lock.ts";
import { storeError } from "./private-file.ts";

/** A renewal asks a server meanwhile. */
const patienceMs = 30_000;

/**
 * Runs `work` while no other process of this machine runs under the same lock (`runtime/file-lock.ts`).
 * @param options.what it locks, in words: `this profile`
 * @param options.signal ends the wait
 * @throws AppError `store_unavailable` when the lock stays taken for 30 s; what `signal` was aborted with; what `work`
 *   throws
 */
export async function withKeyRingLock<T>(
  path: string,
  work: () => Promise<T>,
  options: { what: string; startOf: StartOf; signal?: AbortSignal | undefined },
): Promise<T> {
  const release = await take(path, options);
  if (release === undefined) {
    throw new AppError("store_unavailable", `Another process holds the lock of ${options.what}`, {
      hint: `When no other agent runs: rm ${quoteForShell(path)}`,
    });
  }
  try {
    return await work();
  } finally {
    release();
  }
}

async function take(
  path: string,
  { startOf, signal }: { startOf: StartOf; signal?: AbortSignal | undefined },
): Promise<ReleaseLock | undefined> {
  try {
    return await takeFileLock(path, { patienceMs, startOf, signal });
  } catch (error) {
    signal?.throwIfAborted();
    throw storeError("lock", path, error);
  }
}
