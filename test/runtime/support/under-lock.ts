import { takeFileLock } from "../../../src/runtime/file-lock.ts";
import type { FileLockOptions } from "../../../src/runtime/file-lock.ts";

/** Runs `work` under a lock that is waited for as long as it takes. */
export async function underLock<T>(
  path: string,
  work: () => Promise<T>,
  options: Omit<FileLockOptions, "patienceMs">,
): Promise<T> {
  const release = await takeFileLock(path, { ...options, patienceMs: 30_000 });
  if (release === undefined) throw new Error("the lock stays taken");
  try {
    return await work();
  } finally {
    release();
  }
}
