import type { ProfileKey, StoreKind } from "./profile.ts";

/**
 * Where secrets are kept. Every failure of the store itself (locked, mute, unreadable) is an
 * AppError `store_unavailable`; a secret that is not there is `undefined`, never an error.
 */
export interface CredentialStore {
  readonly kind: StoreKind;
  /** For people: "the system keychain", or the file's path. */
  readonly description: string;
  get(key: ProfileKey): Promise<string | undefined>;
  set(key: ProfileKey, secret: string): Promise<void>;
  /** False when there was nothing to remove. */
  delete(key: ProfileKey): Promise<boolean>;
  /**
   * Removes secrets that no profile owns any more: those of the ids in `lost`, and of all others that the
   * store can find except `owned`. Returns how many there were.
   */
  deleteOrphans(lost: readonly string[], owned: ReadonlySet<string>): Promise<number>;
}
