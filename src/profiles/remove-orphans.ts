import type { CredentialStore } from "./credential-store.ts";
import type { Keychain } from "./keychain-store.ts";
import type { ProfileFiles } from "./profile-files.ts";

/**
 * Removes what no profile owns: secrets left behind in either store, files that were set aside or never finished.
 * @param locked runs under the lock of one profile: a secret without metadata may be one that is just being saved
 * @returns how many secrets
 * @throws AppError `store_unavailable`, after all that can be removed is
 */
export async function removeOrphans(
  files: ProfileFiles,
  fileStore: CredentialStore,
  keychain: Keychain,
  locked: (id: string, work: () => Promise<number>) => Promise<number>,
): Promise<number> {
  const registered = new Set(await keychain.ids());
  const inFiles = await fileStore.ids();

  async function removeOrphansOf(id: string): Promise<number> {
    const owner = (await files.read(id))?.store;
    let count = 0;
    if (owner !== "file" && (await fileStore.delete(id))) count += 1;
    if (owner !== "keychain" && registered.has(id)) {
      if (await keychain.delete(id)) count += 1;
      else await keychain.forget(id);
    }
    await files.removeRemains(id);
    return count;
  }

  let count = 0;
  let failure: unknown;
  for (const id of new Set([...(await files.ids()), ...inFiles, ...registered])) {
    try {
      count += await locked(id, () => removeOrphansOf(id));
    } catch (error) {
      failure ??= error;
    }
  }
  if (failure !== undefined) throw failure;
  return count;
}
