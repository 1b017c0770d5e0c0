import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "../core/system-error-code.ts";
import type { CredentialStore } from "./credential-store.ts";
import {
  ensurePrivateDirectory,
  readPrivateFile,
  removeFile,
  storeError,
  writePrivateFile,
} from "./private-file.ts";
import { profileId } from "./profile-id.ts";

/** No token is longer; a file that is was not written by us. */
const maxSecretBytes = 64 * 1024;

/**
 * Secrets in plain files, one each, 0600 in a 0700 directory: for machines without a keychain. Each file is
 * replaced as a whole, so that any number of processes can write at once without a lock.
 * @param directory made at the first write
 * @param report told what had to be mended
 */
export function createFileStore(
  directory: string,
  report: (line: string) => void,
): CredentialStore {
  return {
    kind: "file",
    description: directory,
    get: (key) =>
      readPrivateFile(join(directory, profileId(key)), { maxBytes: maxSecretBytes, report }),
    async set(key, secret) {
      await ensurePrivateDirectory(directory, report);
      await writePrivateFile(join(directory, profileId(key)), secret);
    },
    delete: (key) => removeFile(join(directory, profileId(key))),
    async deleteOrphans(_lost, owned) {
      const names = await readdir(directory).catch((error: unknown) => {
        if (systemErrorCode(error) === "ENOENT") return [];
        throw storeError("read", directory, error);
      });
      const removed = await Promise.all(
        names.filter((name) => !owned.has(name)).map((name) => removeFile(join(directory, name))),
      );
      return removed.filter(Boolean).length;
    },
  };
}
