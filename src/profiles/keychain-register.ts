import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "../core/system-error-code.ts";
import {
  draftOwner,
  ensurePrivateDirectory,
  removeFile,
  storeError,
  writePrivateFile,
} from "./private-file.ts";
import { isProfileId } from "./profile-id.ts";

/**
 * Which profiles may have a secret in the keychain, as empty files `<directory>/<id>`: keychains cannot be asked
 * what they hold for us. An id is added before its secret is written and removed after the secret is, so a secret
 * is found whenever a process died or a profile's file was lost; an id without a secret means nothing. One that a
 * profile named and nothing was found of stays until `logout --all` finds nothing either.
 */
export interface KeychainRegister {
  /** False when it was there. */
  add(id: string): Promise<boolean>;
  /** With what a killed process left of it. */
  remove(id: string): Promise<void>;
  ids(): Promise<string[]>;
}

export function createKeychainRegister(
  directory: string,
  report: (line: string) => void,
  isId: (word: string) => boolean = isProfileId,
): KeychainRegister {
  const names = async (): Promise<string[]> => {
    try {
      return await readdir(directory);
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return [];
      throw storeError("read", directory, error);
    }
  };
  return {
    async ids() {
      const found = (await names()).map((name) => draftOwner(name) ?? name).filter(isId);
      return [...new Set(found)];
    },
    async add(id) {
      if ((await names()).includes(id)) return false;
      await ensurePrivateDirectory(directory, report);
      await writePrivateFile(join(directory, id), "");
      return true;
    },
    async remove(id) {
      const drafts = (await names()).filter((name) => draftOwner(name) === id);
      await Promise.all([id, ...drafts].map((name) => removeFile(join(directory, name))));
    },
  };
}
