import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { systemErrorCode } from "../core/system-error-code.ts";
import { maxSecretBytes, requireStorable } from "./credential-store.ts";
import type { CredentialStore } from "./credential-store.ts";
import {
  draftOwner,
  closeDirectory,
  draftPrivateFile,
  ensurePrivateDirectory,
  notOurs,
  readPrivateFile,
  removeFile,
  storeError,
  writePrivateFile,
} from "./private-file.ts";
import { isProfileId } from "./profile-id.ts";

export interface FileStore extends CredentialStore {
  /** Takes away what others are allowed in the directory and its files; says so. Never throws. */
  close(): Promise<void>;
}

/**
 * Secrets in plain files, one each, 0600 in a 0700 directory: for machines without a keychain. Each file is
 * replaced as a whole.
 * @param directory made at the first write
 * @param report told what had to be mended, and what lies in a secret's place and is none
 * @param isId the form of the ids of whose secrets these are: others' may lie beside them
 */
export function createFileStore(
  directory: string,
  report: (line: string) => void,
  isId: (word: string) => boolean = isProfileId,
): FileStore {
  const pathOf = (id: string): string => join(directory, id);

  async function names(): Promise<string[]> {
    try {
      return await readdir(directory);
    } catch (error) {
      if (systemErrorCode(error) === "ENOENT") return [];
      throw storeError("read", directory, error);
    }
  }

  const draftsOf = async (id: string): Promise<string[]> =>
    (await names()).filter((name) => draftOwner(name) === id);

  /** False also, reported, for what is no file of ours: a directory is not taken away. */
  async function remove(path: string): Promise<boolean> {
    try {
      return await removeFile(path);
    } catch (error) {
      const code = systemErrorCode(error instanceof Error ? error.cause : error);
      if (code !== "EISDIR" && code !== "EPERM") throw error;
      report(`${path} is no file; it stays`);
      return false;
    }
  }

  return {
    kind: "file",
    description: directory,
    close: () => closeDirectory(directory, report),
    async get(id) {
      try {
        return await readPrivateFile(pathOf(id), { maxBytes: maxSecretBytes, report });
      } catch (error) {
        const problem = notOurs(error);
        if (problem === undefined) throw error;
        report(`${pathOf(id)} ${problem}; it is not used`);
        return undefined;
      }
    },
    async set(id, secret) {
      requireStorable(secret);
      await ensurePrivateDirectory(directory, report);
      await writePrivateFile(pathOf(id), secret);
    },
    async reserve(id, bytes) {
      await ensurePrivateDirectory(directory, report);
      // Whoever was killed with room in its hands leaves it; we hold the profile's lock.
      await Promise.all((await draftsOf(id)).map((name) => remove(pathOf(name))));
      const draft = await draftPrivateFile(pathOf(id), bytes);
      return {
        async set(secret) {
          requireStorable(secret);
          await draft.write(secret);
        },
        release: () => draft.discard(),
      };
    },
    async delete(id) {
      const drafts = await draftsOf(id);
      const removed = await Promise.all([id, ...drafts].map((name) => remove(pathOf(name))));
      return removed.includes(true);
    },
    async ids() {
      const found = (await names()).map((name) => draftOwner(name) ?? name).filter(isId);
      return [...new Set(found)];
    },
  };
}
