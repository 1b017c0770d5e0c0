import { createHash } from "node:crypto";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { CredentialStore } from "../../src/profiles/credential-store.ts";
import { createFileStore } from "../../src/profiles/file-store.ts";
import type { KeychainEntry } from "../../src/profiles/keychain-entry.ts";
import { createKeychainStore } from "../../src/profiles/keychain-store.ts";
import type { Keychain } from "../../src/profiles/keychain-store.ts";
import { credentialStoreSuite, idOf, parallelWritersSuite } from "./credential-store-suite.ts";

const folder = mkdtempSync(join(tmpdir(), "onedoor-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function openFileStore(): CredentialStore {
  return createFileStore(join(folder, "secrets"), () => undefined);
}

describe("file store", () => {
  credentialStoreSuite(openFileStore);
  parallelWritersSuite(openFileStore);
});

/** A stand-in for the binding on systems that tests do not run on: what it holds, and when it gives out. */
class StandInBinding {
  readonly entries = new Map<string, string>();
  /** What happens before the next reading of an entry, once. */
  meanwhile: { account: string; work: () => Promise<unknown> } | undefined;
  /** How many writes and removals still succeed. */
  changesLeft = Infinity;

  readonly #limit: number;

  constructor(limit = Infinity) {
    this.#limit = limit;
  }

  readonly open = (account: string): KeychainEntry => ({
    getPassword: async () => {
      const { meanwhile } = this;
      if (meanwhile !== undefined && account.endsWith(meanwhile.account)) {
        this.meanwhile = undefined;
        await meanwhile.work();
      }
      return this.entries.get(account) ?? null;
    },
    setPassword: (secret) => this.#change(() => void this.entries.set(account, secret), secret),
    deletePassword: () => this.#change(() => this.entries.delete(account)),
  });

  #change<T>(work: () => T, secret = ""): Promise<T> {
    if (secret.length > this.#limit) return Promise.reject(new Error("the blob is too long"));
    if (this.changesLeft <= 0) return Promise.reject(new Error("the process is gone"));
    this.changesLeft -= 1;
    return Promise.resolve(work());
  }
}

function keychainAt(
  configDir: string,
  binding: StandInBinding,
  platform: NodeJS.Platform = "darwin",
): Keychain {
  return createKeychainStore({
    configDir,
    sessionBus: undefined,
    report: () => undefined,
    platform,
    loadBinding: () => Promise.resolve(binding.open),
  });
}

function openKeychain(binding: StandInBinding, platform: NodeJS.Platform): CredentialStore {
  return keychainAt(join(folder, platform), binding, platform);
}

// The same with the operating system's keychain is in test/keychain, which needs one.
describe("keychain store on a stand-in for another system's binding", () => {
  const binding = new StandInBinding();
  credentialStoreSuite(() => openKeychain(binding, "darwin"));
  parallelWritersSuite(() => openKeychain(binding, "darwin"));
});

describe("the scope of a keychain's entries", () => {
  const id = idOf("https://gw.example.com");

  test("is the configuration folder, by whatever links one comes to it, before it is made and after", async () => {
    const binding = new StandInBinding();
    const real = realpathSync(mkdtempSync(join(folder, "real-")));
    const link = join(folder, "link");
    symlinkSync(real, link);
    await keychainAt(join(real, "new", "ring"), binding).set(id, "kept");
    expect(await keychainAt(join(link, "new", "ring"), binding).get(id)).toBe("kept");
    expect(await keychainAt(join(link, "new"), binding).get(id)).toBeUndefined();
    // By its own path it is the same as ever.
    const scope = createHash("sha256")
      .update(join(real, "new", "ring"))
      .digest("hex")
      .slice(0, 16);
    expect([...binding.entries.keys()]).toEqual([`${id}-${scope}`]);
    expect(await keychainAt(join(link, "new", "ring"), binding).delete(id)).toBe(true);
    expect([...binding.entries]).toEqual([]);
  });

  test("an id stays known while nothing was found of it, until it is forgotten", async () => {
    const binding = new StandInBinding();
    const store = keychainAt(join(folder, "lost"), binding);
    await store.set(id, "kept");
    binding.entries.clear();
    const register = join(folder, "lost", "keychain");
    writeFileSync(join(register, `.${id}.0123456789abcdef.draft`), "");
    expect(await store.delete(id)).toBe(false);
    expect(await store.ids()).toEqual([id]);
    await store.forget(id);
    expect(await store.ids()).toEqual([]);
    expect(readdirSync(register)).toEqual([]);
  });

  test("an id that was never more than a draft is known, too", async () => {
    const ring = join(folder, "draft");
    mkdirSync(join(ring, "keychain"), { recursive: true });
    writeFileSync(join(ring, "keychain", `.${id}.0123456789abcdef.draft`), "");
    expect(await keychainAt(ring, new StandInBinding()).ids()).toEqual([id]);
  });
});

describe("keychain store on a stand-in for Windows Credential Manager", () => {
  const windowsLimit = 1280;
  let binding = new StandInBinding(windowsLimit);
  let store: CredentialStore;
  const id = idOf("https://gw.example.com");
  const long = Array.from({ length: 1000 }, (_, index) => `first${index}`).join("");
  const others = ["second".repeat(1000), "third".repeat(400), "short", `${long}x`];
  beforeEach(() => {
    binding = new StandInBinding(windowsLimit);
    store = openKeychain(binding, "win32");
  });
  credentialStoreSuite(() => store);

  test("splits what is too long, never within a character, and leaves nothing at its removal", async () => {
    await store.set(id, `x${"🔑".repeat(3000)}`);
    expect(binding.entries.size).toBe(6);
    for (const text of binding.entries.values()) {
      expect(text.length).toBeLessThanOrEqual(windowsLimit);
      expect(Buffer.from(text).toString()).toBe(text);
    }
    expect(await store.get(id)).toBe(`x${"🔑".repeat(3000)}`);
    expect(await store.delete(id)).toBe(true);
    expect([...binding.entries]).toEqual([]);
  });

  test("takes a text that looks like a list of parts for what it is", async () => {
    const sly = "od1parts a 2 0123456789abcdef";
    await store.set(id, sly);
    expect(await store.get(id)).toBe(sly);
  });

  test.each(others.map((next) => [`${next.slice(0, 6)}, ${next.length} characters`, next]))(
    "a write of %s that is cut off at any step leaves the earlier text or the new one, whole",
    async (_, next) => {
      let steps = 0;
      for (let done = false; !done; steps += 1) {
        binding.entries.clear();
        binding.changesLeft = Infinity;
        await store.set(id, long);
        binding.changesLeft = steps;
        done = await store.set(id, next).then(
          () => true,
          () => false,
        );
        binding.changesLeft = Infinity;
        expect([long, next]).toContain(await store.get(id));
        // And the next write and removal clear up after it.
        await store.set(id, next);
        expect(await store.get(id)).toBe(next);
        await store.delete(id);
        expect([...binding.entries]).toEqual([]);
      }
      expect(steps).toBeGreaterThan(8);
    },
  );

  test("a removal that is cut off at any step leaves no text that is not whole, and can be finished", async () => {
    for (let steps = 0, done = false; !done; steps += 1) {
      binding.changesLeft = Infinity;
      await store.set(id, long);
      binding.changesLeft = steps;
      done = await store.delete(id).catch(() => false);
      binding.changesLeft = Infinity;
      expect([long, undefined]).toContain(await store.get(id));
      expect((await store.ids()).includes(id)).toBe(!done);
      await store.delete(id);
      expect([...binding.entries]).toEqual([]);
    }
  });

  test.each([".a0", ".a1", ".a6"])(
    "a reader beside a writer that has come as far as %s finds what was written, whole",
    async (account) => {
      for (const next of others) {
        await store.delete(id);
        await store.set(id, long);
        binding.meanwhile = { account, work: () => store.set(id, next) };
        // The last part is read already where a short text takes its place.
        expect([long, next]).toContain(await store.get(id));
        expect(await store.get(id)).toBe(next);
      }
    },
  );

  const spoil: [string, (parts: string[]) => void][] = [
    ["a missing part", (parts) => binding.entries.delete(parts[1] ?? "")],
    ["a missing last part", (parts) => binding.entries.delete(parts.at(-1) ?? "")],
    ["a part of another text", (parts) => binding.entries.set(parts[1] ?? "", "other".repeat(256))],
    [
      "parts in another order",
      (parts) => {
        const [first = "", second = ""] = parts;
        const text = binding.entries.get(first) ?? "";
        binding.entries.set(first, binding.entries.get(second) ?? "");
        binding.entries.set(second, text);
      },
    ],
    [
      "fewer parts than there are",
      ([part = ""]) => {
        const head = part.replace(/\.a0$/u, "");
        const text = binding.entries.get(head) ?? "";
        binding.entries.set(head, text.replace(/ \d+ /u, " 2 "));
      },
    ],
    [
      "a list of parts that is none",
      ([part = ""]) => binding.entries.set(part.replace(/\.a0$/u, ""), "od1parts c 9999 zz"),
    ],
  ];
  test.each(spoil)("reads %s as missing, and still removes all", async (_, change) => {
    await store.set(id, long);
    const parts = [...binding.entries.keys()].filter((name) => name.includes(".a"));
    expect(parts).toHaveLength(7);
    change(parts);
    expect(await store.get(id)).toBeUndefined();
    await store.delete(id);
    expect([...binding.entries]).toEqual([]);
  });
});
