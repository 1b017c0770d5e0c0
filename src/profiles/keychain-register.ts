import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "../core/system-error-code.ts";
import {
  ensurePrivateDirectory,
  removeFile,
  storeError,
  writePrivateFile,
} from "./private-file.ts";
import { isProfileId } from "./profile-id.ts";

/**
 * Which profiles may have a secret in the keychain, as empty files `<directory>/<id>`: keychains cannot be asked
 * what they hold for us. An id is added before its secret is written and removed after the secret is, so a secret
 * is found whenever a process died or a profile's file was lost; an id without a secret means nothing.
 */
export interface KeychainRegister {
  /** False when it was there. */
  add(id: string): Promise<boolean>;
  remove(id: string): Promise<void>;
  ids(): Promise<string[]>;
}

export function createKeychainRegister(
  directory: string,
  report: (line: string) => void,
): KeychainRegister {
  const ids = async (): Promise<string[]> => {
    try {
      return (await readdir(directory)).filter(isProfileId);
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return [];
      throw storeError("read", directory, error);
    }
  };
  return {
    ids,
    async add(id) {
      if ((await ids()).includes(id)) return false;
      await ensurePrivateDirectory(directory, report);
      await writePrivateFile(join(directory, id), "");
      return true;
    },
    async remove(id) {
      await removeFile(join(directory, id));
    },
  };
}
