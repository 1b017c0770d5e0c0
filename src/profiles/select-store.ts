import type { CredentialStore } from "./credential-store.ts";
import { keychainAbsent, keychainUnusable } from "./keychain-error.ts";
import type { Keychain } from "./keychain-store.ts";
import type { StoreKind } from "./profile.ts";

/**
 * Decides where a new secret goes. A file is taken in place of a keychain only where there is none; one that
 * is there and does not answer is an error, so that no secret lands in plain text unasked.
 * @param options.choice what was asked for; undefined: the keychain where there is one
 * @param options.report told when a file is taken because there is no keychain
 * @throws AppError `store_unavailable`
 */
export async function selectStore(options: {
  choice: StoreKind | undefined;
  fileStore: CredentialStore;
  keychain: () => Promise<Keychain>;
  report: (line: string) => void;
}): Promise<CredentialStore> {
  const { choice, fileStore, report } = options;
  if (choice === "file") return fileStore;
  const keychain = await options.keychain();
  const state = await keychain.state();
  if (state.kind === "present") return keychain;
  if (state.kind === "mute") throw keychainUnusable(state.reason);
  if (choice === "keychain") throw keychainAbsent(state.reason);
  report(
    `No keychain here (${state.reason}): the token goes into a file that only you can read, below ${fileStore.description}`,
  );
  return fileStore;
}
