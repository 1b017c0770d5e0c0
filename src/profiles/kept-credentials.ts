import { AppError } from "../core/errors.ts";
import { decodeCredential, encodeCredential, ownerOf, secretsOf } from "./credential-text.ts";
import { maxSecretBytes } from "./credential-store.ts";
import type { CredentialStore, ReservedRoom } from "./credential-store.ts";
import type { ProfileFiles } from "./profile-files.ts";
import { profileId } from "./profile-id.ts";
import type { Profile, StoreKind } from "./profile.ts";
import type { StoredCredential } from "./stored-credential.ts";

/** What a new credential gets at least: a server may give longer tokens than before. */
const leastRoomBytes = 16 * 1024;

/** The credentials of profiles, each in the store that its profile remembers. Whoever writes holds the lock. */
export interface KeptCredentials {
  /**
   * Undefined where nothing is kept, and, reported, where what is there is no credential: it is shown to nobody.
   * @throws AppError `store_unavailable`
   */
  read(profile: Profile): Promise<StoredCredential | undefined>;
  /** Writes secret, then metadata; a failure of the second takes the first back. */
  write(profile: Profile, credential: StoredCredential, store: CredentialStore): Promise<void>;
  /**
   * Makes sure that a new credential can be kept, before a server is asked for one.
   * @param earlier what is kept now
   * @throws AppError `store_unavailable`
   */
  reserve(profile: Profile, earlier: StoredCredential | undefined): Promise<ReservedRoom>;
  /**
   * Writes what a renewal brought. The server has ended what was kept before, so a new secret is not taken back
   * where the metadata cannot be written: that only looks older than it is, and is renewed again.
   * @throws AppError `store_unavailable`
   */
  writeRenewed(profile: Profile, credential: StoredCredential, room: ReservedRoom): Promise<void>;
}

/**
 * @param report told what is kept and is none, and what could be kept in part only
 * @param learn told every secret that is read or written, before anything can go wrong with it
 */
export function createKeptCredentials(
  files: ProfileFiles,
  storeOf: (kind: StoreKind) => Promise<CredentialStore>,
  { report, learn }: { report: (line: string) => void; learn: (secret: string) => void },
): KeptCredentials {
  return {
    async read(profile) {
      const store = await storeOf(profile.store);
      const text = await store.get(profileId(profile));
      if (text === undefined) return undefined;
      const decoded = decodeCredential(text);
      const what = `What ${store.description} keeps for ${profile.url}`;
      if (decoded === undefined) {
        report(`${what} is no token; it is not used`);
        return undefined;
      }
      const { credential, owner } = decoded;
      secretsOf(credential).forEach(learn);
      if (owner !== undefined && owner !== ownerOf(profile)) {
        report(`${what} was kept for something else; it is not used`);
        return undefined;
      }
      return credential;
    },
    async write(profile, credential, store) {
      secretsOf(credential).forEach(learn);
      const id = profileId(profile);
      const earlier = await store.get(id).catch(() => undefined);
      await store.set(id, encodeCredential(credential, ownerOf(profile)));
      try {
        await files.write(profile);
      } catch (error) {
        await (earlier === undefined ? store.delete(id) : store.set(id, earlier)).catch(
          () => undefined,
        );
        throw error;
      }
    },
    async reserve(profile, earlier) {
      const store = await storeOf(profile.store);
      const id = profileId(profile);
      const text = earlier && encodeCredential(earlier, ownerOf(profile));
      if (store.reserve !== undefined) {
        const bytes = Math.max(2 * Buffer.byteLength(text ?? ""), leastRoomBytes);
        return store.reserve(id, Math.min(bytes, maxSecretBytes));
      }
      if (text !== undefined) await store.set(id, text);
      return { set: (secret) => store.set(id, secret), release: () => Promise.resolve() };
    },
    async writeRenewed(profile, credential, room) {
      secretsOf(credential).forEach(learn);
      try {
        await room.set(encodeCredential(credential, ownerOf(profile)));
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        throw new AppError(
          error.code,
          `The token of ${profile.url} was renewed and cannot be kept: ${error.message}`,
          { hint: error.hint, cause: error },
        );
      }
      try {
        await files.write(profile);
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error);
        report(`The token of ${profile.url} was renewed, its profile was not: ${reason}`);
      }
    },
  };
}
