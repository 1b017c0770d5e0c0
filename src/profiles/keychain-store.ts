import { createHash } from "node:crypto";
import { AppError } from "../core/errors.ts";
import type { CredentialStore } from "./credential-store.ts";
import { keychainAbsent, keychainUnusable } from "./keychain-error.ts";
import { profileId } from "./profile-id.ts";
import { probeSecretService } from "./secret-service.ts";
import type { KeychainState } from "./secret-service.ts";

/** What is used of the binding (`@napi-rs/keyring`, installed under the name `keytar`: docs/adr/0001). */
export interface KeychainEntry {
  getPassword(): Promise<string | null>;
  setPassword(secret: string): Promise<void>;
  deletePassword(): Promise<boolean>;
}

export interface KeychainOptions {
  /** The directory of the profiles: two of them never share an entry. */
  configDir: string;
  /** Address of the D-Bus session bus; asked on Linux only. */
  sessionBus: string | undefined;
  platform?: NodeJS.Platform;
  /** Another binding, for tests of what the real one only does on other systems. */
  loadBinding?: () => Promise<(account: string) => KeychainEntry>;
  probe?: () => Promise<KeychainState>;
}

export interface Keychain extends CredentialStore {
  /** Whether there is one. Asked once; a mute one is not absent. */
  state(): Promise<KeychainState>;
}

/** Entries are named so in the system's own key ring program. */
const service = "onedoor";

/** Windows Credential Manager: CRED_MAX_CREDENTIAL_BLOB_SIZE is 2560 bytes, two for each character. */
const windowsLimit = 1280;

/**
 * The only place that imports the binding. Not its keytar-like interface and not its automatic choice of
 * store: both fall back silently to the kernel's key ring, which a reboot empties.
 */
async function loadSystemBinding(): Promise<(account: string) => KeychainEntry> {
  const { AsyncEntry } = await import("keytar");
  return (account) => new AsyncEntry(service, account, { linux: { store: "secret-service" } });
}

/**
 * The operating system's keychain: Secret Service, macOS Keychain, Windows Credential Manager. A keychain
 * that asks a person to unlock it is waited for.
 */
export function createKeychainStore(options: KeychainOptions): Keychain {
  const platform = options.platform ?? process.platform;
  const scope = createHash("sha256").update(options.configDir).digest("hex").slice(0, 16);
  const probe =
    options.probe ??
    (() =>
      platform === "linux"
        ? probeSecretService(options.sessionBus, process.getuid?.() ?? 0)
        : Promise.resolve({ kind: "present", locked: false } as const));

  let binding: Promise<((account: string) => KeychainEntry) | undefined> | undefined;
  const load = (): NonNullable<typeof binding> =>
    (binding ??= (options.loadBinding ?? loadSystemBinding)().catch(() => undefined));

  let known: Promise<KeychainState> | undefined;
  const state = (): Promise<KeychainState> =>
    (known ??= (async () => {
      const found = await probe();
      if (found.kind !== "present" || (await load())) return found;
      return { kind: "absent", reason: "the optional package keytar is not installed" };
    })());

  /** Runs one operation on one entry; the binding's errors are all alike, so which one failed is what counts. */
  async function use<T>(account: string, work: (entry: KeychainEntry) => Promise<T>): Promise<T> {
    const found = await state();
    if (found.kind === "mute") throw keychainUnusable(found.reason);
    const open = await load();
    if (found.kind === "absent" || !open) {
      throw keychainAbsent(found.kind === "absent" ? found.reason : "it cannot be loaded");
    }
    try {
      return await work(open(account));
    } catch (error) {
      throw keychainUnusable("it refused", error);
    }
  }

  /** Nothing found in a locked keychain says nothing about what is in it. */
  async function refuseWhileLocked(): Promise<void> {
    const found = await probe();
    if (found.kind === "present" && found.locked)
      throw keychainUnusable("it did not show its entries");
  }

  const accountOf = (id: string): string => `${id}-${scope}`;
  return {
    kind: "keychain",
    description: "the system keychain",
    state,
    async get(key) {
      const secret = await use(accountOf(profileId(key)), (entry) => entry.getPassword());
      if (secret === null) await refuseWhileLocked();
      return secret ?? undefined;
    },
    async set(key, secret) {
      if (platform === "win32" && secret.length > windowsLimit) {
        throw new AppError(
          "store_unavailable",
          `Windows Credential Manager takes no token of more than ${windowsLimit} characters`,
          { hint: "agent auth login --store file" },
        );
      }
      await use(accountOf(profileId(key)), (entry) => entry.setPassword(secret));
    },
    async delete(key) {
      const deleted = await use(accountOf(profileId(key)), (entry) => entry.deletePassword());
      if (!deleted) await refuseWhileLocked();
      return deleted;
    },
    async deleteOrphans(lost) {
      let count = 0;
      for (const id of lost) {
        if (await use(accountOf(id), (entry) => entry.deletePassword())) count += 1;
      }
      return count;
    },
  };
}
