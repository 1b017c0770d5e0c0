import { createHash } from "node:crypto";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { AppError } from "../core/errors.ts";
import { isJsonObject } from "../core/json.ts";
import { isSecretName, keepSecretCommand } from "../core/secret-reference.ts";
import { systemErrorCode } from "../core/system-error-code.ts";
import type { StartOf } from "../runtime/file-lock.ts";
import { maxSecretBytes } from "./credential-store.ts";
import type { CredentialStore } from "./credential-store.ts";
import { createFileStore } from "./file-store.ts";
import { KeychainError } from "./keychain-error.ts";
import type { Keychain } from "./keychain-store.ts";
import {
  ensurePrivateDirectory,
  notOurs,
  readPrivateFile,
  removeFile,
  storeError,
  writePrivateFile,
} from "./private-file.ts";
import { withKeyRingLock } from "./key-ring-lock.ts";
import { storeKinds } from "./profile.ts";
import type { StoreKind } from "./profile.ts";
import { selectStore } from "./select-store.ts";
import type { SelectedStore } from "./select-store.ts";

export interface ServerSecretsOptions {
  /** The directory of the key ring: as with profiles, two of them share nothing. */
  configDir: string;
  /** Told one line for each file that was mended or is not used. */
  report: (line: string) => void;
  /** Told every secret that is read or set, before anything can go wrong with it. */
  learn: (secret: string) => void;
  /** As for the key ring's locks. */
  startOf: StartOf;
  /** Address of the D-Bus session bus, for the keychain on Linux. */
  sessionBus: string | undefined;
  /** Another keychain, for tests. */
  keychain?: Keychain;
}

export interface KeptSecret extends SelectedStore {
  /**
   * Puts back what was there before, or removes the secret where nothing was.
   * @throws AppError `store_unavailable`: the earlier one could not be read when it was replaced, or not be put back
   */
  restore: () => Promise<void>;
}

/**
 * The secrets of upstream servers, by the names that `${secret:NAME}` in the configuration has (core/secret-reference).
 * Kept as the tokens of profiles are, beside them and apart from them: no sign-out takes one away. Nothing of a keychain
 * is loaded before one is read or set.
 */
export interface ServerSecrets {
  /**
   * What is kept under a name, looked for only in the store that it was put into. Undefined where nothing is. A keychain
   * that is locked is not opened: whoever reads waits for nobody.
   * @throws AppError `store_unavailable`, its message naming the secret
   */
  get(name: string): Promise<string | undefined>;
  /**
   * Keeps a secret, in place of an earlier one.
   * @param store what was asked for; without it the store of an earlier one, else the keychain, and where there is none,
   *   a file. A locked keychain is opened, which may take as long as a person does.
   * @returns where it is now; `keychainAbsence` is to be said, with the file's place; and how to take it back
   * @throws AppError `usage` for a name or value that cannot be kept; `store_unavailable`
   */
  set(name: string, value: string, store?: StoreKind): Promise<KeptSecret>;
  /** Removes it from wherever it may be. False when there was none. @throws AppError `store_unavailable` */
  remove(name: string): Promise<boolean>;
  /** In the order of the alphabet. Asks no keychain. */
  names(): Promise<string[]>;
}

/** Of one that asks a person something, which no server that starts shall wait for. */
const keychainLimitMs = 20_000;
/** A name and a word. */
const maxRecordBytes = 4096;

export function openServerSecrets(options: ServerSecretsOptions): ServerSecrets {
  const { configDir, report, learn, startOf } = options;
  const directory = join(configDir, "server-secrets");
  const fileStore = createFileStore(join(configDir, "secrets"), report, isServerSecretId);
  let opened: Promise<Keychain> | undefined = options.keychain && Promise.resolve(options.keychain);
  const keychain = (): Promise<Keychain> =>
    (opened ??= import("./keychain-store.ts").then(({ createKeychainStore }) =>
      createKeychainStore({
        configDir,
        sessionBus: options.sessionBus,
        report,
        isId: isServerSecretId,
      }),
    ));
  const storeOf = async (kind: StoreKind): Promise<CredentialStore> =>
    kind === "file" ? fileStore : keychain();
  /** Whether this process has written into the keychain, and so knows that it is open, whatever it was before. */
  let isOpen = false;

  const recordPath = (id: string): string => join(directory, `${id}.json`);

  /** Which store a secret was put into; undefined, and reported, for a file that is no record of ours. */
  async function storeKindOf(id: string): Promise<{ name: string; store: StoreKind } | undefined> {
    const path = recordPath(id);
    try {
      const text = await readPrivateFile(path, { maxBytes: maxRecordBytes, report });
      if (text === undefined) return undefined;
      const found = parseRecord(text);
      if (found !== undefined && secretId(found.name) === id) return found;
      report(`${path} is no record of a secret; it is not used`);
    } catch (error) {
      const problem = notOurs(error);
      if (problem === undefined) throw error;
      report(`${path} ${problem}; it is not used`);
    }
    return undefined;
  }

  const writeRecord = (name: string, store: StoreKind): Promise<void> =>
    writePrivateFile(recordPath(secretId(name)), JSON.stringify({ name, store }));

  async function locked<T>(id: string, work: () => Promise<T>): Promise<T> {
    await ensurePrivateDirectory(directory, report);
    return withKeyRingLock(join(directory, `${id}.lock`), work, {
      what: "this server secret",
      startOf,
    });
  }

  async function readFromKeychain(name: string): Promise<string | undefined> {
    const store = await keychain();
    const state = await store.state();
    if (state.kind !== "present") throw unreadable(name, state.reason);
    if (state.locked && !isOpen) throw unreadable(name, "the keychain is locked");
    try {
      return await within(keychainLimitMs, store.get(secretId(name)));
    } catch (error) {
      if (error instanceof TooLate) throw unreadable(name, "the keychain does not answer", error);
      if (error instanceof KeychainError) {
        throw unreadable(name, "the keychain is locked, or does not show it", error);
      }
      throw error;
    }
  }

  /** What a new value takes the place of; undefined: it cannot be read. A keychain that stays locked is not asked. */
  async function earlierSecret(
    id: string,
    kind: StoreKind,
    next: StoreKind,
  ): Promise<{ value: string | undefined } | undefined> {
    if (kind === "file") return { value: await fileStore.get(id) };
    try {
      const store = await keychain();
      if (next !== "keychain") {
        const state = await store.state();
        if (state.kind !== "present" || (state.locked && !isOpen)) return undefined;
      }
      const value = await within(keychainLimitMs, store.get(id));
      if (value !== undefined) learn(value);
      return { value };
    } catch (error) {
      if (error instanceof TooLate || error instanceof KeychainError) return undefined;
      throw error;
    }
  }

  const secrets: ServerSecrets = {
    async get(name) {
      if (!isSecretName(name)) return undefined;
      const id = secretId(name);
      const found = await storeKindOf(id);
      if (found === undefined) return undefined;
      const value = await (found.store === "file" ? fileStore.get(id) : readFromKeychain(name));
      if (value !== undefined) learn(value);
      return value;
    },
    async set(name, value, choice) {
      learn(value);
      requireKeepable(name, value);
      const id = secretId(name);
      const before = (await storeKindOf(id))?.store;
      let selected: SelectedStore;
      try {
        selected = await selectStore({ choice: choice ?? before, fileStore, keychain });
      } catch (error) {
        throw error instanceof KeychainError ? unchangeable(name, "kept", error) : error;
      }
      const { store } = selected;
      const restore = await locked(id, async (): Promise<KeptSecret["restore"]> => {
        const earlier = (await storeKindOf(id))?.store;
        const lost = earlier && (await earlierSecret(id, earlier, store.kind));
        const takeBack = async (): Promise<void> => {
          if (earlier !== undefined && lost === undefined) {
            throw new AppError("store_unavailable", "the earlier one could not be read");
          }
          if (lost?.value === undefined) await secrets.remove(name);
          else await secrets.set(name, lost.value, earlier);
        };
        // The record first, so that no secret is where nothing leads to it.
        if (earlier === undefined) await writeRecord(name, store.kind);
        try {
          await store.set(id, value);
        } catch (error) {
          if (earlier === undefined) await removeFile(recordPath(id)).catch(() => false);
          throw error instanceof KeychainError ? unchangeable(name, "kept", error) : error;
        }
        if (store.kind === "keychain") isOpen = true;
        if (earlier === undefined || earlier === store.kind) return takeBack;
        await writeRecord(name, store.kind);
        const old = await storeOf(earlier);
        await old.delete(id).catch((error: unknown) => {
          const reason = error instanceof Error ? error.message : String(error);
          report(`The earlier secret ${name} stays in ${old.description}: ${reason}`);
        });
        return takeBack;
      });
      return { ...selected, restore };
    },
    async remove(name) {
      const id = secretId(name);
      const inKeychain = await keychain();
      // Also what a killed process left behind where the secret moved from one store to the other.
      const places = [fileStore, inKeychain];
      const found = await Promise.all(
        places.map(async (store) => (await store.ids()).includes(id)),
      );
      const known = await storeKindOf(id);
      if (known === undefined && !found.includes(true)) return false;
      return locked(id, async () => {
        let removed = await fileStore.delete(id);
        if (known?.store === "keychain" || found[1] === true) {
          try {
            removed = (await inKeychain.delete(id)) || removed;
          } catch (error) {
            throw error instanceof KeychainError ? unchangeable(name, "removed", error) : error;
          }
          await inKeychain.forget(id);
        }
        return (await removeFile(recordPath(id))) || removed;
      });
    },
    async names() {
      const ids = (await entries(directory))
        .filter((file) => file.endsWith(".json"))
        .map((file) => file.slice(0, -".json".length))
        .filter(isServerSecretId);
      const found = await Promise.all(ids.map(storeKindOf));
      return found.flatMap((each) => (each === undefined ? [] : [each.name])).toSorted();
    },
  };
  return secrets;
}

/** Not of the form of a profile's id: no profile is found under it, and nobody who clears up after profiles meets it. */
function secretId(name: string): string {
  return `server-${createHash("sha256").update(name).digest("hex").slice(0, 32)}`;
}

function isServerSecretId(word: string): boolean {
  return /^server-[\da-f]{32}$/u.test(word);
}

/** Reads what says where a secret is kept; undefined for any other text. */
export function parseRecord(text: string): { name: string; store: StoreKind } | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!isJsonObject(value)) return undefined;
  const { name } = value;
  const store = storeKinds.find((kind) => kind === value["store"]);
  if (typeof name !== "string" || !isSecretName(name) || store === undefined) return undefined;
  return { name, store };
}

async function entries(directory: string): Promise<string[]> {
  try {
    return await readdir(directory);
  } catch (error) {
    if (systemErrorCode(error) === "ENOENT") return [];
    throw storeError("read", directory, error);
  }
}

/** @throws AppError `usage` */
function requireKeepable(name: string, value: string): void {
  const reason = whyNotKeepable(name, value);
  if (reason !== undefined) throw new AppError("usage", reason);
}

function whyNotKeepable(name: string, value: string): string | undefined {
  if (!isSecretName(name)) {
    return "A secret's name is letters, digits, _, . and - with / between its parts: server/KEY";
  }
  if (value === "") return `The secret ${name} is empty`;
  // Neither a variable of a process nor a header can hold it.
  if (value.includes("\0")) return `The secret ${name} holds a NUL character`;
  const bytes = Buffer.byteLength(value);
  if (bytes <= maxSecretBytes) return undefined;
  return `The secret ${name} is ${bytes} bytes long; at most ${maxSecretBytes} can be kept`;
}

function unreadable(name: string, reason: string, cause?: unknown): AppError {
  return new AppError("store_unavailable", `The secret ${name} cannot be read: ${reason}`, {
    hint: `Unlock the keychain, or keep it in a file: ${keepSecretCommand(name)} --store file`,
    cause,
  });
}

function unchangeable(name: string, done: string, cause: KeychainError): AppError {
  return new AppError(
    "store_unavailable",
    `The secret ${name} cannot be ${done}: ${cause.message}`,
    { hint: `${keepSecretCommand(name)} --store file`, cause },
  );
}

class TooLate extends Error {}

/** What the binding has begun cannot be called off; nobody waits for it any more. */
async function within<T>(ms: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new TooLate()), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
