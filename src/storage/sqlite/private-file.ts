import { chmodSync, closeSync, constants, lstatSync, mkdirSync, openSync, statSync } from "node:fs";
import { dirname } from "node:path";

/**
 * Makes sure that a file exists, is a regular one of its own name (no link), and is 0600, in a directory
 * that is made 0700. An existing file is never opened: closing it would give up every
 * lock this process holds on it (fcntl(2), "advisory record locking").
 * @throws the system's error; Error when the name is taken by something else, or the directory is somebody else's
 */
export function ensurePrivateFile(file: string): void {
  ensurePrivateDirectory(dirname(file));
  const found = lstatSync(file, { throwIfNoEntry: false });
  if (found === undefined) {
    closeSync(openSync(file, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600));
  } else if (!found.isFile()) {
    throw new Error(`${file} is not a regular file`);
  } else if ((found.mode & 0o077) !== 0) {
    chmodSync(file, 0o600);
  }
}

function ensurePrivateDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const { uid, mode } = statSync(directory);
  if (process.getuid && uid !== process.getuid()) {
    throw new Error(`${directory} belongs to another user`);
  }
  // Too open from before, or too tight by the umask.
  if ((mode & 0o777) !== 0o700) {
    chmodSync(directory, 0o700);
  }
}
