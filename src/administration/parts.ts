import type { Directory } from "../auth/directory.ts";
import type { PasswordHashes } from "../auth/passwords/password-hashes.ts";
import type { Storage } from "../core/storage.ts";
import type { ServerHistory } from "./server-history.ts";

/** What the administration is made of. */
export interface AdministrationParts {
  directory: Directory;
  /** The directory's own: for reading audit and change history. */
  storage: Storage;
  serverHistory: Pick<ServerHistory, "restore">;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  passwords: Pick<PasswordHashes, "hash">;
  /** A cryptographic source: `node:crypto`'s. */
  randomBytes: (size: number) => Uint8Array;
}
