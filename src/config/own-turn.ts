import { basename, dirname, join } from "node:path";
import { takeFileLock } from "../runtime/file-lock.ts";

/** A turn takes milliseconds. */
const patienceMs = 3_000;

/**
 * Waits until no other of our processes has its turn at a file, and does its work then: of two that look at what is
 * there before they replace it, the second sees what the first wrote. Editors know nothing of it.
 * @returns false, with nothing done, where another one does not end its turn
 * @throws what `work` throws; what the system refuses
 */
export async function inOwnTurn(file: string, work: () => Promise<void>): Promise<boolean> {
  const release = await takeFileLock(lockOf(file), { patienceMs });
  if (release === undefined) return false;
  try {
    await work();
  } finally {
    release();
  }
  return true;
}

/** Beside the file, for all that may write it can write there. */
function lockOf(file: string): string {
  return join(dirname(file), `.${basename(file)}.lock`);
}
