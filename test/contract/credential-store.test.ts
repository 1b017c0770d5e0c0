import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe } from "vitest";
import { createFileStore } from "../../src/profiles/file-store.ts";
import { createKeychainStore } from "../../src/profiles/keychain-store.ts";
import type { KeychainEntry } from "../../src/profiles/keychain-store.ts";
import { credentialStoreSuite } from "./credential-store-suite.ts";

const folder = mkdtempSync(join(tmpdir(), "onedoor-store-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("file store", () => {
  credentialStoreSuite(() => createFileStore(join(folder, "secrets"), () => undefined));
});

// The same with the operating system's keychain is in test/keychain, which needs one.
describe("keychain store on another system's binding", () => {
  const entries = new Map<string, string>();
  const open = (account: string): KeychainEntry => ({
    getPassword: () => Promise.resolve(entries.get(account) ?? null),
    setPassword: (secret) => Promise.resolve(void entries.set(account, secret)),
    deletePassword: () => Promise.resolve(entries.delete(account)),
  });
  credentialStoreSuite(() =>
    createKeychainStore({
      configDir: folder,
      sessionBus: undefined,
      platform: "darwin",
      loadBinding: () => Promise.resolve(open),
    }),
  );
});
