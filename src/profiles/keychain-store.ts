import { createHash, randomBytes } from "node:crypto";
import { realpathSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { requireStorable } from "./credential-store.ts";
import type { CredentialStore } from "./credential-store.ts";
import type { KeychainEntry } from "./keychain-entry.ts";
import { keychainAbsent, keychainUnusable } from "./keychain-error.ts";
import { createKeychainRegister } from "./keychain-register.ts";
import { probeSecretService } from "./secret-service.ts";
import type { KeychainState } from "./secret-service.ts";
import { splitEntry } from "./split-entry.ts";

export interface KeychainOptions {
  /** The directory of the profiles: two of them never share an entry, and all ways to one lead to the same. */
  configDir: string;
  /** Address of the D-Bus session bus; asked on Linux only. */
  sessionBus: string | undefined;
  /** Told what had to be mended. */
  report: (line: string) => void;
  /** The form of the ids of whose secrets these are: others' are registered beside them. Default: profiles'. */
  isId?: (word: string) => boolean;
  platform?: NodeJS.Platform;
  /** Another binding, for tests of what the real one only does on other systems. */
  loadBinding?: () => Promise<(account: string) => KeychainEntry>;
  probe?: () => Promise<KeychainState>;
}

export interface Keychain extends CredentialStore {
  /** Takes an id off those that `ids` tells: there is nothing of it in any keychain. */
  forget(id: string): Promise<void>;
  /** Whether there is one. Asked once; a mute one is not absent. */
  state(): Promise<KeychainState>;
  /**
   * Opens a locked one, where a person is there to do so: waits for them.
   * @throws AppError `store_unavailable`
   */
  unlock(): Promise<void>;
  /**
   * Writes an entry of its own, reads it, and removes it again.
   * @throws AppError `store_unavailable`
   */
  tryOut(): Promise<void>;
}

/** Entries are named so in the system's own key ring program. */
const service = "onedoor";

/** Windows Credential Manager: CRED_MAX_CREDENTIAL_BLOB_SIZE is 2560 bytes, two for each UTF-16 unit. */
const windowsLimit = 1280;

const readAttempts = 3;

/** Of an entry that is written and removed to open the keychain: reading what is not there opens nothing. */
const unlocking = "unlocking";
/** Of one that is written, read and removed to see whether that can be done. */
const trying = "trying";

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
  const place = realPath(options.configDir);
  const scope = createHash("sha256").update(place).digest("hex").slice(0, 16);
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
      return await work(
        platform === "win32" ? splitEntry(open, account, windowsLimit) : open(account),
      );
    } catch (error) {
      throw keychainUnusable("it refused", error);
    }
  }

  /**
   * Reads without the profile's lock: an entry that another process replaces between the binding's search for it and
   * its reading is an error there, and is found by looking again.
   */
  async function readEntry(entry: KeychainEntry): Promise<string | null> {
    for (let left = readAttempts; ; left -= 1) {
      try {
        return await entry.getPassword();
      } catch (error) {
        const found = await probe();
        if (left === 1 || found.kind !== "present" || found.locked) throw error;
      }
    }
  }

  /** Nothing found in a locked keychain says nothing about what is in it. */
  async function refuseWhileLocked(): Promise<void> {
    const found = await probe();
    if (found.kind === "present" && found.locked)
      throw keychainUnusable("it did not show its entries");
  }

  const register = createKeychainRegister(
    join(options.configDir, "keychain"),
    options.report,
    options.isId,
  );
  const accountOf = (id: string): string => `${id}-${scope}`;
  return {
    kind: "keychain",
    description: "the system keychain",
    state,
    unlock: () =>
      use(accountOf(unlocking), async (entry) => {
        await entry.setPassword(unlocking);
        await entry.deletePassword();
      }),
    tryOut: () =>
      use(accountOf(trying), async (entry) => {
        const text = randomBytes(16).toString("hex");
        await entry.setPassword(text);
        const found = await entry.getPassword();
        await entry.deletePassword();
        if (found !== text) throw new Error("it gave back something else than was put in");
      }),
    ids: () => register.ids(),
    async get(id) {
      const secret = await use(accountOf(id), readEntry);
      if (secret === null) await refuseWhileLocked();
      return secret ?? undefined;
    },
    async set(id, secret) {
      requireStorable(secret);
      const added = await register.add(id);
      try {
        await use(accountOf(id), (entry) => entry.setPassword(secret));
      } catch (error) {
        // Nothing of it is there, so `logout --all` need not ask a keychain that cannot be used.
        if (added) await register.remove(id).catch(() => undefined);
        throw error;
      }
    },
    async delete(id) {
      const deleted = await use(accountOf(id), (entry) => entry.deletePassword());
      if (deleted) await register.remove(id);
      // A profile leads here: its secret may be in a keychain that this session does not see.
      else await refuseWhileLocked();
      return deleted;
    },
    forget: (id) => register.remove(id),
  };
}

/** Where a path leads, whether or not its end is there yet. */
function realPath(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPath(parent), basename(path));
  }
}
