import { join } from "node:path";
import { AppError } from "../core/errors.ts";
import type { CanonicalUrl } from "../core/url.ts";
import { decodeCredential, encodeCredential, secretsOf } from "./credential-text.ts";
import type { CredentialStore } from "./credential-store.ts";
import { createFileStore } from "./file-store.ts";
import type { Keychain } from "./keychain-store.ts";
import { createProfileFiles } from "./profile-files.ts";
import { profileId } from "./profile-id.ts";
import { withProfileLock } from "./profile-lock.ts";
import type { Profile, ProfileDraft, ProfileKey, StoreKind } from "./profile.ts";
import { selectStore } from "./select-store.ts";
import type { SelectedStore } from "./select-store.ts";
import type { StoredCredential } from "./stored-credential.ts";

export interface ProfilesOptions {
  configDir: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Told one line for each file that was mended or set aside. */
  report: (line: string) => void;
  /** Told every secret that is read, saved or fetched, before anything can go wrong with it. */
  learn: (secret: string) => void;
  /** Address of the D-Bus session bus, for the keychain on Linux. */
  sessionBus: string | undefined;
  /** Another keychain, for tests. */
  keychain?: Keychain;
}

/** A profile and what its store keeps for it, as they stand under its lock. */
export interface KeptProfile {
  profile: Profile;
  credential: StoredCredential | undefined;
}

/** A new credential, and what changes in the profile with it. */
export type Renewal = { credential: StoredCredential } & Partial<ProfileDraft>;

/** The key ring of one user: metadata in files, each secret in the store its profile remembers. */
export interface Profiles {
  /** In the order of their making. */
  list(): Promise<Profile[]>;
  /**
   * The profile of a URL: of the name given, else the one that was chosen for it, else `default`, else the
   * oldest.
   */
  find(url: CanonicalUrl, name?: string): Promise<Profile | undefined>;
  /**
   * The profile to use where nothing says which: the one `auth switch` chose last, else the oldest.
   * @param name only profiles of this name
   */
  findDefault(name?: string): Promise<Profile | undefined>;
  /**
   * What is kept for a profile, looked for only in its own store. Undefined where nothing is, and, reported, where
   * what is there is no credential: it is shown to nobody.
   * @throws AppError `store_unavailable`
   */
  credentialOf(profile: Profile): Promise<StoredCredential | undefined>;
  /**
   * Where the secret of a profile goes: the store that is asked for, else the one an earlier profile of that
   * key remembers, else the keychain, and where there is none, a file.
   * @throws AppError `store_unavailable`
   */
  storeFor(key: ProfileKey, choice: StoreKind | undefined): Promise<SelectedStore>;
  /** Saves secret and metadata together or not at all. @throws AppError `store_unavailable` */
  save(draft: ProfileDraft, credential: StoredCredential, store: CredentialStore): Promise<Profile>;
  /**
   * Replaces a profile's credential in its own store, in one process at a time: whoever comes second gets what
   * the first one fetched. Undefined for a profile that was removed meanwhile.
   * @param isGood whether the saved profile, as it stands now, needs no new credential
   * @param fetch gets a new one by what is kept now; once it was asked, its answer is kept whatever `signal` says
   * @param signal ends the wait for other processes
   * @throws AppError `store_unavailable`; what `fetch` throws, the profile being as it was
   */
  renew(
    profile: Profile,
    isGood: (current: Profile) => boolean,
    fetch: (current: KeptProfile) => Promise<Renewal>,
    signal: AbortSignal,
  ): Promise<{ profile: Profile; credential: StoredCredential } | undefined>;
  /** Makes a profile the default, for its URL and over all. */
  choose(profile: Profile): Promise<void>;
  /**
   * Removes secret and metadata. False when there was none.
   * @param before handed what is kept, where it is still there, to be ended where it came from: nobody renews it
   *   meanwhile, and what `before` throws keeps the profile
   * @throws AppError `store_unavailable`
   */
  remove(
    key: ProfileKey,
    before?: (credential: StoredCredential) => Promise<void>,
  ): Promise<boolean>;
  /**
   * Removes what no profile owns: secrets left behind in either store, files that were set aside or never finished.
   * Returns how many secrets.
   * @throws AppError `store_unavailable`, after all that can be removed is
   */
  removeOrphans(): Promise<number>;
}

export function openProfiles(options: ProfilesOptions): Profiles {
  const { configDir, now, report, learn } = options;
  const files = createProfileFiles(join(configDir, "profiles"), now, report);
  const fileStore = createFileStore(join(configDir, "secrets"), report);

  let opened: Promise<Keychain> | undefined = options.keychain && Promise.resolve(options.keychain);
  /** Loaded at its first use: a profile in a file needs nothing of it. */
  const keychain = (): Promise<Keychain> =>
    (opened ??= import("./keychain-store.ts").then(({ createKeychainStore }) =>
      createKeychainStore({ configDir, sessionBus: options.sessionBus, report }),
    ));
  const storeOf = async (kind: StoreKind): Promise<CredentialStore> =>
    kind === "file" ? fileStore : keychain();

  async function lockedById<T>(
    id: string,
    work: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return withProfileLock(await files.lockPath(id), work, signal);
  }
  const locked = <T>(key: ProfileKey, work: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
    lockedById(profileId(key), work, signal);

  /** Writes secret, then metadata; a failure of the second takes the first back. Under the lock. */
  async function write(
    profile: Profile,
    credential: StoredCredential,
    store: CredentialStore,
  ): Promise<void> {
    secretsOf(credential).forEach(learn);
    const id = profileId(profile);
    const earlier = await store.get(id).catch(() => undefined);
    await store.set(id, encodeCredential(credential));
    try {
      await files.write(profile);
    } catch (error) {
      await (earlier === undefined ? store.delete(id) : store.set(id, earlier)).catch(
        () => undefined,
      );
      throw error;
    }
  }

  /**
   * Writes what a renewal brought. The server has ended what was kept before, so a new secret is not taken back
   * where the metadata cannot be written: that only looks older than it is, and is renewed again. Under the lock.
   */
  async function writeRenewed(profile: Profile, credential: StoredCredential): Promise<void> {
    secretsOf(credential).forEach(learn);
    const store = await storeOf(profile.store);
    try {
      await store.set(profileId(profile), encodeCredential(credential));
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
      report(`The token of ${profile.url} was renewed, its profile was not: ${messageOf(error)}`);
    }
  }

  async function credentialOf(profile: Profile): Promise<StoredCredential | undefined> {
    const store = await storeOf(profile.store);
    const text = await store.get(profileId(profile));
    if (text === undefined) return undefined;
    const credential = decodeCredential(text);
    if (credential === undefined) {
      report(`What ${store.description} keeps for ${profile.url} is no token; it is not used`);
      return undefined;
    }
    secretsOf(credential).forEach(learn);
    return credential;
  }

  const list: Profiles["list"] = () => files.list();
  return {
    list,
    async find(url, name) {
      if (name !== undefined) {
        return files.read(profileId({ url, name }));
      }
      const own = (await list()).filter((profile) => profile.url === url);
      return latestChoice(own) ?? own.find((profile) => profile.name === "default") ?? own[0];
    },
    async findDefault(name) {
      const all = (await list()).filter((profile) => name === undefined || profile.name === name);
      return latestChoice(all) ?? all[0];
    },
    credentialOf,
    async storeFor(key, choice) {
      const earlier = await files.read(profileId(key));
      return selectStore({ choice: choice ?? earlier?.store, fileStore, keychain });
    },
    save: (draft, credential, store) =>
      locked(draft, async () => {
        const earlier = await files.read(profileId(draft));
        const profile: Profile = {
          ...draft,
          store: store.kind,
          createdAtMs: now(),
          chosenAtMs: earlier?.chosenAtMs,
        };
        await write(profile, credential, store);
        if (earlier && earlier.store !== store.kind) {
          const old = await storeOf(earlier.store);
          await old.delete(profileId(profile)).catch((error: unknown) => {
            report(`The earlier token stays in ${old.description}: ${messageOf(error)}`);
          });
        }
        return profile;
      }),
    renew: (profile, isGood, fetch, signal) =>
      locked(
        profile,
        async () => {
          const current = await files.read(profileId(profile));
          if (!current) return undefined;
          const kept = await credentialOf(current);
          if (kept !== undefined && isGood(current)) return { profile: current, credential: kept };
          const { credential, ...changes } = await fetch({ profile: current, credential: kept });
          const renewed: Profile = {
            ...current,
            ...changes,
            // What it is and where it lies is no renewal's to change.
            url: current.url,
            name: current.name,
            store: current.store,
            createdAtMs: now(),
          };
          await writeRenewed(renewed, credential);
          return { profile: renewed, credential };
        },
        signal,
      ),
    choose: (profile) =>
      locked(profile, async () => {
        const current = await files.read(profileId(profile));
        if (current) await files.write({ ...current, chosenAtMs: now() });
      }),
    remove: (key, before) =>
      locked(key, async () => {
        const current = await files.read(profileId(key));
        if (!current) return false;
        if (before !== undefined) {
          const credential = await credentialOf(current);
          if (credential !== undefined) await before(credential);
        }
        await (await storeOf(current.store)).delete(profileId(key));
        return files.remove(profileId(key));
      }),
    async removeOrphans() {
      const registered = new Set(await (await keychain()).ids());
      const inFiles = await fileStore.ids();
      let count = 0;
      let failure: unknown;
      for (const id of new Set([...(await files.ids()), ...inFiles, ...registered])) {
        try {
          // Under the lock: a secret without metadata may be one that is just being saved.
          count += await lockedById(id, () => removeOrphansOf(id, registered.has(id)));
        } catch (error) {
          failure ??= error;
        }
      }
      if (failure !== undefined) throw failure;
      return count;
    },
  };

  async function removeOrphansOf(id: string, inKeychain: boolean): Promise<number> {
    const owner = (await files.read(id))?.store;
    let count = 0;
    if (owner !== "file" && (await fileStore.delete(id))) count += 1;
    if (owner !== "keychain" && inKeychain && (await (await keychain()).delete(id))) count += 1;
    await files.removeRemains(id);
    return count;
  }
}

function latestChoice(profiles: readonly Profile[]): Profile | undefined {
  return profiles
    .filter((profile) => profile.chosenAtMs !== undefined)
    .toSorted((a, b) => (b.chosenAtMs ?? 0) - (a.chosenAtMs ?? 0))[0];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
