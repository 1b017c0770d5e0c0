import { join } from "node:path";
import type { CanonicalUrl } from "../core/url.ts";
import type { CredentialStore } from "./credential-store.ts";
import { createFileStore } from "./file-store.ts";
import type { Keychain } from "./keychain-store.ts";
import { createProfileFiles } from "./profile-files.ts";
import { profileId } from "./profile-id.ts";
import { withProfileLock } from "./profile-lock.ts";
import type { Profile, ProfileDraft, ProfileKey, StoreKind } from "./profile.ts";
import { selectStore } from "./select-store.ts";
import type { SelectedStore } from "./select-store.ts";

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
  /** @throws AppError `store_unavailable`; a profile's secret is only ever looked for in its own store */
  secretOf(profile: Profile): Promise<string | undefined>;
  /**
   * Where the secret of a profile goes: the store that is asked for, else the one an earlier profile of that
   * key remembers, else the keychain, and where there is none, a file.
   * @throws AppError `store_unavailable`
   */
  storeFor(key: ProfileKey, choice: StoreKind | undefined): Promise<SelectedStore>;
  /** Saves secret and metadata together or not at all. @throws AppError `store_unavailable` */
  save(draft: ProfileDraft, secret: string, store: CredentialStore): Promise<Profile>;
  /**
   * Replaces a profile's secret, in one process at a time: whoever comes second gets what the first one
   * fetched.
   * @param isGood whether the saved profile, as it stands now, needs no new secret
   */
  renew(
    profile: Profile,
    isGood: (current: Profile) => boolean,
    fetch: () => Promise<{ secret: string } & Partial<ProfileDraft>>,
    signal: AbortSignal,
  ): Promise<{ profile: Profile; secret: string } | undefined>;
  /** Makes a profile the default, for its URL and over all. */
  choose(profile: Profile): Promise<void>;
  /** Removes secret and metadata. False when there was none. @throws AppError `store_unavailable` */
  remove(key: ProfileKey): Promise<boolean>;
  /**
   * Removes what no profile owns: secrets left behind, files that were set aside. Returns how many secrets.
   * @throws AppError `store_unavailable`
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
      createKeychainStore({ configDir, sessionBus: options.sessionBus }),
    ));
  const storeOf = async (kind: StoreKind): Promise<CredentialStore> =>
    kind === "file" ? fileStore : keychain();

  async function locked<T>(
    key: ProfileKey,
    work: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return withProfileLock(await files.lockPath(profileId(key)), work, signal);
  }

  /** Writes secret, then metadata; a failure of the second takes the first back. Under the lock. */
  async function write(profile: Profile, secret: string, store: CredentialStore): Promise<void> {
    learn(secret);
    const earlier = await store.get(profile).catch(() => undefined);
    await store.set(profile, secret);
    try {
      await files.write(profile);
    } catch (error) {
      await (earlier === undefined ? store.delete(profile) : store.set(profile, earlier)).catch(
        () => undefined,
      );
      throw error;
    }
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
    async secretOf(profile) {
      const secret = await (await storeOf(profile.store)).get(profile);
      if (secret !== undefined) learn(secret);
      return secret;
    },
    async storeFor(key, choice) {
      const earlier = await files.read(profileId(key));
      return selectStore({ choice: choice ?? earlier?.store, fileStore, keychain });
    },
    save: (draft, secret, store) =>
      locked(draft, async () => {
        const earlier = await files.read(profileId(draft));
        const profile: Profile = {
          ...draft,
          store: store.kind,
          createdAtMs: now(),
          chosenAtMs: earlier?.chosenAtMs,
        };
        await write(profile, secret, store);
        if (earlier && earlier.store !== store.kind) {
          const old = await storeOf(earlier.store);
          await old.delete(profile).catch((error: unknown) => {
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
          const store = await storeOf(current.store);
          if (isGood(current)) {
            const secret = await store.get(current);
            if (secret !== undefined) {
              learn(secret);
              return { profile: current, secret };
            }
          }
          const { secret, ...changes } = await fetch();
          const renewed: Profile = { ...current, ...changes, createdAtMs: now() };
          await write(renewed, secret, store);
          return { profile: renewed, secret };
        },
        signal,
      ),
    choose: (profile) =>
      locked(profile, async () => {
        const current = await files.read(profileId(profile));
        if (current) await files.write({ ...current, chosenAtMs: now() });
      }),
    remove: (key) =>
      locked(key, async () => {
        const current = await files.read(profileId(key));
        if (!current) return false;
        await (await storeOf(current.store)).delete(current);
        return files.remove(profileId(key));
      }),
    async removeOrphans() {
      const owned = new Set((await list()).map(profileId));
      const lost = (await files.listSetAside()).filter((id) => !owned.has(id));
      let count = await fileStore.deleteOrphans(lost, owned);
      if (lost.length > 0 && (await (await keychain()).state()).kind === "present") {
        count += await (await keychain()).deleteOrphans(lost, owned);
      }
      await files.removeSetAside();
      return count;
    },
  };
}

function latestChoice(profiles: readonly Profile[]): Profile | undefined {
  return profiles
    .filter((profile) => profile.chosenAtMs !== undefined)
    .toSorted((a, b) => (b.chosenAtMs ?? 0) - (a.chosenAtMs ?? 0))[0];
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
