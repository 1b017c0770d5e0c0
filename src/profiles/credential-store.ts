import { AppError } from "../core/errors.ts";
import type { StoreKind } from "./profile.ts";

/**
 * Where secrets are kept, one text for each profile id. Every failure of the store itself (locked, mute,
 * unreadable) is an AppError `store_unavailable`; a secret that is not there is `undefined`, never an error.
 * Whoever writes one profile holds its lock.
 */
export interface CredentialStore {
  readonly kind: StoreKind;
  /** For people: "the system keychain", or the file's path. */
  readonly description: string;
  get(id: string): Promise<string | undefined>;
  /** @throws AppError `store_unavailable`, also for a text of more than 64 KiB; what was there then still is */
  set(id: string, secret: string): Promise<void>;
  /**
   * Makes room for a text of `bytes` before something is used up for it. Absent where nobody can: writing what is
   * there once more then shows whether the store takes anything.
   * @throws AppError `store_unavailable`
   */
  reserve?(id: string, bytes: number): Promise<ReservedRoom>;
  /** With all that a killed process left of it. False when there was nothing to remove. */
  delete(id: string): Promise<boolean>;
  /** Of all secrets that may be here, whether or not a profile knows of them. Asks no keychain. */
  ids(): Promise<string[]>;
}

/** Room in a store for the next text of one profile. */
export interface ReservedRoom {
  /** As the store's own. */
  set(secret: string): Promise<void>;
  /** Gives back what was not used. Never throws. */
  release(): Promise<void>;
}

/** No credential is longer, in bytes; what is was not written by us. */
export const maxSecretBytes = 64 * 1024;

/** @throws AppError `store_unavailable` */
export function requireStorable(secret: string): void {
  const bytes = Buffer.byteLength(secret);
  if (bytes <= maxSecretBytes) return;
  throw new AppError(
    "store_unavailable",
    `The token, with what renews it, is ${bytes} bytes long; at most ${maxSecretBytes} can be kept`,
    { hint: "Ask the server's operators for smaller tokens" },
  );
}
