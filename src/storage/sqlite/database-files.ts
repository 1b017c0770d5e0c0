import { statSync } from "node:fs";

/** The database and its write-ahead log, as they were when they were opened. */
export interface DatabaseFiles {
  /**
   * To be called before each transaction: SQLite writes on into a file that has no name any more, and nobody would
   * ever read that. Costs some microseconds.
   * @throws FilesGone
   */
  check(): void;
}

/** Nothing must be written: it would be lost, or mixed up with somebody else's file. */
export class FilesGone extends Error {
  override readonly name = "FilesGone";
}

/** @param file the database, which is open and has been written to: so its write-ahead log is there as well */
export function watchDatabaseFiles(file: string): DatabaseFiles {
  const opened = [file, `${file}-wal`].map((path) => ({ path, identity: identityOf(path) }));
  return {
    check() {
      for (const { path, identity } of opened) {
        const found = identityOf(path);
        if (found === identity) continue;
        throw new FilesGone(`${path} ${found === undefined ? "was removed" : "is another file"}`);
      }
    },
  };
}

/** Which file bears the name; undefined: none. */
function identityOf(path: string): string | undefined {
  const found = statSync(path, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}:${found.ino}`;
}
