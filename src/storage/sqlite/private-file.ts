import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes sure that a file exists, is a regular one of its own name (no link), and is 0600, in a directory
 * that is made 0700 when it is missing. An existing file is never opened: closing it would give up every
 * lock this process holds on it (fcntl(2), "advisory record locking").
 * @throws the system's error; Error when the name is taken by something else
 */
export function ensurePrivateFile(file: string): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) {
    closeSync(openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600));
  } else if (!found.isFile()) {
    throw new Error(`${file} is not a regular file`);
  } else if ((found.mode & 0o077) !== 0) {
    chmodSync(file, 0o600);
  }
}
