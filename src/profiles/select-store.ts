import type { CredentialStore } from "./credential-store.ts";
import { keychainAbsent, keychainUnusable } from "./keychain-error.ts";
import type { Keychain } from "./keychain-store.ts";
import type { StoreKind } from "./profile.ts";

export interface SelectedStore {
  store: CredentialStore;
  /** Why it is a file although nobody asked for one, for people. */
  keychainAbsence?: string;
}

/**
 * Decides where a new secret goes. A file is taken in place of a keychain only where there is none; one that
 * is there and does not answer is an error, so that no secret lands in plain text unasked. A locked one is opened
 * now: nobody shall sign in for a token that cannot be kept.
 * @param options.choice what was asked for; undefined: the keychain where there is one
 * @throws AppError `store_unavailable`
 */
export async function selectStore(options: {
  choice: StoreKind | undefined;
  fileStore: CredentialStore;
  keychain: () => Promise<Keychain>;
}): Promise<SelectedStore> {
  const { choice, fileStore } = options;
  if (choice === "file") return { store: fileStore };
  const keychain = await options.keychain();
  const state = await keychain.state();
  if (state.kind === "present") {
    if (state.locked) await keychain.unlock();
    return { store: keychain };
  }
  if (state.kind === "mute") throw keychainUnusable(state.reason);
  if (choice === "keychain") throw keychainAbsent(state.reason);
  return { store: fileStore, keychainAbsence: state.reason };
}
