import { join } from "node:path";
import type { CanonicalUrl } from "../core/url.ts";
import type { StartOf } from "../runtime/file-lock.ts";
import type { CredentialStore } from "./credential-store.ts";
import { createFileStore } from "./file-store.ts";
import { createKeptCredentials } from "./kept-credentials.ts";
import { KeychainError } from "./keychain-error.ts";
import type { Keychain } from "./keychain-store.ts";
import { createProfileFiles } from "./profile-files.ts";
import { profileId } from "./profile-id.ts";
import { withKeyRingLock } from "./key-ring-lock.ts";
import type { Profile, ProfileDraft, ProfileKey, StoreKind } from "./profile.ts";
import { removeOrphans } from "./remove-orphans.ts";
import { renewCredential } from "./renew-credential.ts";
import type { KeptProfile, Renewal } from "./renew-credential.ts";
import { selectStore } from "./select-store.ts";
import type { SelectedStore } from "./select-store.ts";
import { canRenew } from "./stored-credential.ts";
import type { StoredCredential } from "./stored-credential.ts";

export interface ProfilesOptions {
  configDir: string;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Told one line for each file that was mended or set aside. */
  report: (line: string) => void;
  /** Told every secret that is read, saved or fetched, before anything can go wrong with it. */
  learn: (secret: string) => void;
  /** When a process started: a lock is not another's who was given the same pid. */
  startOf: StartOf;
  /** Address of the D-Bus session bus, for the keychain on Linux. */
  sessionBus: string | undefined;
  /** Another keychain, for tests. */
  keychain?: Keychain;
}

/**
 * The key ring of one user: metadata in files, each secret in the store its profile remembers. A `signal` ends the wait
 * for other processes; whoever has waited finishes.
 */
export interface Profiles {
  /** In the order of their making. */
  list(): Promise<Profile[]>;
  /**
   * The profile of a URL: of the name given, else the one that was chosen for it, else `default`, else the
   * oldest.
   * @throws AppError `store_unavailable`: the one that is named, or `default`, is there and cannot be read
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
   * key remembers, else the keychain, and where there is none, a file. A locked keychain is opened, which may take
   * as long as a person does.
   * @throws AppError `store_unavailable`
   */
  storeFor(key: ProfileKey, choice: StoreKind | undefined): Promise<SelectedStore>;
  /**
   * Saves secret and metadata together or not at all. Signing in anew makes no profile younger.
   * @throws AppError `store_unavailable`
   */
  save(
    draft: ProfileDraft,
    credential: StoredCredential,
    store: CredentialStore,
    signal?: AbortSignal,
  ): Promise<Profile>;
  /**
   * Replaces a profile's credential in its own store, in one process at a time: whoever comes second gets what
   * the first one fetched. Undefined for a profile that was removed meanwhile. A store that takes nothing is found
   * out before `fetch` uses anything up.
   * @param isGood whether the saved profile, as it stands now, needs no new credential
   * @param fetch gets a new one by what is kept now; once it was asked, its answer is kept whatever `signal` says
   * @throws AppError `store_unavailable`; what `fetch` throws, the profile being as it was
   */
  renew(
    profile: Profile,
    isGood: (current: Profile) => boolean,
    fetch: (current: KeptProfile) => Promise<Renewal>,
    signal: AbortSignal,
  ): Promise<{ profile: Profile; credential: StoredCredential } | undefined>;
  /** Makes a profile the default, for its URL and over all. */
  choose(profile: Profile, signal?: AbortSignal): Promise<void>;
  /**
   * Removes secret and metadata. False when there was none.
   * @param before handed what is kept, where it is still there, to be ended where it came from: nobody renews it
   *   meanwhile, and what `before` throws keeps the profile
   * @throws AppError `store_unavailable`
   */
  remove(
    key: ProfileKey,
    before?: (credential: StoredCredential) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<boolean>;
  /**
   * Removes what no profile owns: secrets left behind in either store, files that were set aside or never finished.
   * Returns how many secrets.
   * @throws AppError `store_unavailable`, after all that can be removed is
   */
  removeOrphans(signal?: AbortSignal): Promise<number>;
}

export function openProfiles(options: ProfilesOptions): Profiles {
  const { configDir, now, startOf, learn } = options;
  const said = new Set<string>();
  /** A file that cannot be mended is met again and again. */
  const report = (line: string): void => {
    if (said.has(line)) return;
    said.add(line);
    options.report(line);
  };
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
  const kept = createKeptCredentials(files, storeOf, { report, learn });

  let closed: Promise<void> | undefined;
  /** Secrets that no profile leads to (its file was set aside) are nobody else's to read either. */
  const closeSecrets = (): Promise<void> => (closed ??= fileStore.close());
  const list = async (): Promise<Profile[]> => {
    await closeSecrets();
    return files.list();
  };

  async function lockedById<T>(
    id: string,
    work: () => Promise<T>,
    signal?: AbortSignal,
  ): Promise<T> {
    return withKeyRingLock(await files.lockPath(id), work, {
      what: "this profile",
      startOf,
      signal,
    });
  }
  const locked = <T>(key: ProfileKey, work: () => Promise<T>, signal?: AbortSignal): Promise<T> =>
    about(key, () => lockedById(profileId(key), work, signal));

  return {
    list,
    async find(url, name) {
      if (name !== undefined) {
        await closeSecrets();
        return files.read(profileId({ url, name }));
      }
      const own = (await list()).filter((profile) => profile.url === url);
      return (
        latestChoice(own) ??
        own.find((profile) => profile.name === defaultName) ??
        // One that is there and cannot be read was left out: nobody goes there without its token, unasked.
        (await files.read(profileId({ url, name: defaultName }))) ??
        own[0]
      );
    },
    async findDefault(name) {
      const all = (await list()).filter((profile) => name === undefined || profile.name === name);
      return latestChoice(all) ?? all[0];
    },
    credentialOf: (profile) => about(profile, () => kept.read(profile)),
    storeFor: (key, choice) =>
      about(key, async () => {
        const earlier = await files.read(profileId(key));
        return selectStore({ choice: choice ?? earlier?.store, fileStore, keychain });
      }),
    save: (draft, credential, store, signal) =>
      locked(
        draft,
        async () => {
          const earlier = await files.read(profileId(draft));
          const profile: Profile = {
            ...draft,
            store: store.kind,
            // What `first` means to people does not change with a new token.
            createdAtMs: earlier?.createdAtMs ?? now(),
            renewedAtMs: earlier && now(),
            renews: canRenew(credential),
            chosenAtMs: earlier?.chosenAtMs,
          };
          await kept.write(profile, credential, store);
          if (earlier && earlier.store !== store.kind) {
            const old = await storeOf(earlier.store);
            await old.delete(profileId(profile)).catch((error: unknown) => {
              const reason = error instanceof Error ? error.message : String(error);
              report(`The earlier token stays in ${old.description}: ${reason}`);
            });
          }
          return profile;
        },
        signal,
      ),
    renew: (profile, isGood, fetch, signal) =>
      locked(profile, () => renewCredential(profile, isGood, fetch, { files, kept, now }), signal),
    choose: (profile, signal) =>
      locked(
        profile,
        async () => {
          const current = await files.read(profileId(profile));
          if (!current) return;
          const latest = latestChoice(await files.list())?.chosenAtMs ?? 0;
          // Later than a choice by a clock that was ahead, too.
          await files.write({ ...current, chosenAtMs: Math.max(now(), latest + 1) });
        },
        signal,
      ),
    remove: (key, before, signal) =>
      locked(
        key,
        async () => {
          const current = await files.read(profileId(key));
          if (!current) return false;
          if (before !== undefined) {
            const credential = await kept.read(current);
            if (credential !== undefined) await before(credential);
          }
          await (await storeOf(current.store)).delete(profileId(key));
          return files.remove(profileId(key));
        },
        signal,
      ),
    removeOrphans: async (signal) =>
      removeOrphans(files, fileStore, await keychain(), (id, work) => lockedById(id, work, signal)),
  };
}

const defaultName = "default";

function latestChoice(profiles: readonly Profile[]): Profile | undefined {
  return profiles
    .filter((profile) => profile.chosenAtMs !== undefined)
    .toSorted((a, b) => (b.chosenAtMs ?? 0) - (a.chosenAtMs ?? 0))[0];
}

/** A keychain does not know whose secrets it keeps: what it fails with is told of the profile it was used for. */
async function about<T>(key: ProfileKey, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw error instanceof KeychainError ? error.of(key) : error;
  }
}
