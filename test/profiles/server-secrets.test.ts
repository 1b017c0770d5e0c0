import {
  existsSync,
  readdirSync,
  readFileSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { KeychainEntry } from "../../src/profiles/keychain-entry.ts";
import { createKeychainStore } from "../../src/profiles/keychain-store.ts";
import type { Keychain } from "../../src/profiles/keychain-store.ts";
import { openProfiles } from "../../src/profiles/open-profiles.ts";
import type { StoreKind } from "../../src/profiles/profile.ts";
import type { KeychainState } from "../../src/profiles/secret-service.ts";
import { openServerSecrets } from "../../src/profiles/server-secrets.ts";
import type { ServerSecrets } from "../../src/profiles/server-secrets.ts";
import { processStart } from "../../src/runtime/process-start.ts";
import { configDir, draft, learned, modeOf, reports } from "./bench.ts";

const present: KeychainState = { kind: "present", locked: false };
const absent: KeychainState = { kind: "absent", reason: "there is no session bus" };

/** What the keychain of a test holds, and what it does before each answer. */
class Binding {
  readonly entries = new Map<string, string>();
  uses = 0;
  refuses = false;

  readonly open = (account: string): KeychainEntry => ({
    getPassword: () => this.#answer(() => this.entries.get(account) ?? null),
    setPassword: (secret) => this.#answer(() => void this.entries.set(account, secret)),
    deletePassword: () => this.#answer(() => this.entries.delete(account)),
  });

  #answer<T>(work: () => T): Promise<T> {
    this.uses += 1;
    return this.refuses ? Promise.reject(new Error("dismissed")) : Promise.resolve(work());
  }
}

function keychain(
  binding: Binding,
  state: KeychainState,
  isId?: (word: string) => boolean,
): Keychain {
  return createKeychainStore({
    configDir,
    sessionBus: undefined,
    report: (line) => reports.push(line),
    platform: "linux",
    loadBinding: () => Promise.resolve(binding.open),
    probe: () => Promise.resolve(state),
    ...(isId === undefined ? {} : { isId }),
  });
}

function open(binding = new Binding(), state: KeychainState = present): ServerSecrets {
  return openServerSecrets({
    configDir,
    report: (line) => reports.push(line),
    learn: (secret) => learned.add(secret),
    startOf: processStart,
    sessionBus: undefined,
    keychain: keychain(binding, state, (word) => word.startsWith("server-")),
  });
}

const name = "github/TOKEN";
const records = (): string[] => readdirSync(join(configDir, "server-secrets"));

describe.each([
  ["the keychain", undefined, "keychain"],
  ["a file", "file", "file"],
] as const)("a secret in %s", (_, choice, kind) => {
  test("is set, read, replaced, named and removed", async () => {
    const binding = new Binding();
    const secrets = open(binding);
    expect((await secrets.set(name, "first secret\nof lines", choice)).store.kind).toBe(kind);
    expect(await open(binding).get(name)).toBe("first secret\nof lines");
    await open(binding).set(name, "second secret");
    await open(binding).set("other.server/KEY-1", "of another", choice);
    expect(await open(binding).get(name)).toBe("second secret");
    expect(binding.entries.size).toBe(kind === "keychain" ? 2 : 0);
    expect(await open(binding).names()).toEqual([name, "other.server/KEY-1"]);
    expect(await open(binding).remove(name)).toBe(true);
    expect(await open(binding).get(name)).toBeUndefined();
    expect(await open(binding).names()).toEqual(["other.server/KEY-1"]);
    expect(await open(binding).remove(name)).toBe(false);
    await open(binding).remove("other.server/KEY-1");
    expect(binding.entries.size).toBe(0);
    expect(records()).toEqual([]);
  });

  test("is told to whoever masks, when it is set and when it is read", async () => {
    const binding = new Binding();
    await open(binding).set(name, "masked value", choice);
    expect([...learned]).toEqual(["masked value"]);
    learned.clear();
    await open(binding).get(name);
    expect([...learned]).toEqual(["masked value"]);
  });

  test("is nothing that signing out takes away, and no profile", async () => {
    const binding = new Binding();
    await open(binding).set(name, "stays here", choice);
    const profiles = openProfiles({
      startOf: processStart,
      learn: () => undefined,
      configDir,
      now: () => 1,
      report: (line) => reports.push(line),
      sessionBus: undefined,
      keychain: keychain(binding, present),
    });
    const key = draft("https://gw.example.com");
    const { store } = await profiles.storeFor(key, kind);
    await profiles.save(key, { token: "od_profile" }, store);
    expect(await profiles.list()).toHaveLength(1);
    await profiles.remove(key);
    expect(await profiles.removeOrphans()).toBe(0);
    expect(await open(binding).get(name)).toBe("stays here");
    expect(reports).toEqual([]);
  });

  test("moves to the other store, and is in one of them only", async () => {
    const binding = new Binding();
    const other = kind === "file" ? "keychain" : "file";
    await open(binding).set(name, "here", choice);
    await open(binding).set(name, "there", other);
    expect(await open(binding).get(name)).toBe("there");
    expect(binding.entries.size).toBe(other === "keychain" ? 1 : 0);
    expect(readdirSync(join(configDir, "secrets"))).toHaveLength(other === "file" ? 1 : 0);
  });

  test("that is replaced by 20 at once is one of theirs", async () => {
    const binding = new Binding();
    const values = Array.from({ length: 20 }, (_each, index) => `value ${index}`);
    await Promise.all(values.map((value) => open(binding).set(name, value, choice)));
    expect(values).toContain(await open(binding).get(name));
    expect(records()).toHaveLength(1);
  });
});

test("files are closed to others, and hold no secret where the keychain does", async () => {
  await open().set(name, "in the keychain");
  await open().set("b", "in a file", "file");
  expect(modeOf(join(configDir, "server-secrets"))).toBe(0o700);
  for (const record of records()) {
    const path = join(configDir, "server-secrets", record);
    expect(modeOf(path)).toBe(0o600);
    expect(readFileSync(path, "utf8")).not.toContain("in the keychain");
  }
  const [file = ""] = readdirSync(join(configDir, "secrets"));
  expect(modeOf(join(configDir, "secrets", file))).toBe(0o600);
});

test("asking for what is not there asks no keychain", async () => {
  const binding = new Binding();
  expect(await open(binding).get(name)).toBeUndefined();
  expect(await open(binding).names()).toEqual([]);
  expect(await open(binding).remove(name)).toBe(false);
  expect(binding.uses).toBe(0);
  expect(existsSync(join(configDir, "server-secrets"))).toBe(false);
});

test("a file takes the place of a keychain that is not there, which is said", async () => {
  expect(await open(new Binding(), absent).set(name, "value")).toMatchObject({
    store: { kind: "file" },
    keychainAbsence: "there is no session bus",
  });
});

describe("a secret that was replaced", () => {
  test.each<[string, StoreKind, StoreKind]>([
    ["in the keychain", "keychain", "keychain"],
    ["in a file", "file", "file"],
    ["by one in a file", "keychain", "file"],
    ["by one in the keychain", "file", "keychain"],
  ])("%s is put back", async (_, from, to) => {
    const binding = new Binding();
    await open(binding).set(name, "earlier", from);
    const { restore } = await open(binding).set(name, "later", to);
    expect(await open(binding).get(name)).toBe("later");
    await restore();
    expect(await open(binding).get(name)).toBe("earlier");
    expect(binding.entries.size).toBe(from === "keychain" ? 1 : 0);
  });

  test("and was none before is removed", async () => {
    const binding = new Binding();
    await (await open(binding).set(name, "new")).restore();
    expect(await open(binding).names()).toEqual([]);
    expect(binding.entries.size).toBe(0);
  });

  test("is replaced in a locked keychain, which is opened for it, and put back", async () => {
    const binding = new Binding();
    await open(binding).set(name, "earlier");
    const { restore } = await open(binding, { kind: "present", locked: true }).set(name, "later");
    expect(await open(binding).get(name)).toBe("later");
    await restore();
    expect(await open(binding).get(name)).toBe("earlier");
  });

  test("by one in a file asks no locked keychain, and what was there cannot be put back", async () => {
    const binding = new Binding();
    await open(binding).set(name, "earlier");
    const locked = open(binding, { kind: "present", locked: true });
    const { restore } = await locked.set(name, "later", "file");
    expect(await locked.get(name)).toBe("later");
    await expect(restore()).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await locked.get(name)).toBe("later");
  });
});

describe("a keychain that cannot be used", () => {
  const hint =
    /^Unlock the keychain, or keep it in a file: agent mcp add github --env TOKEN --replace --store file$/u;
  test.each<[string, KeychainState, string]>([
    ["locked", { kind: "present", locked: true }, "the keychain is locked"],
    ["mute", { kind: "mute", reason: "it is silent" }, "it is silent"],
    ["gone", absent, "there is no session bus"],
  ])("%s: reading says which secret, and opens nothing", async (_, state, reason) => {
    const binding = new Binding();
    await open(binding).set(name, "value");
    const before = binding.uses;
    await expect(open(binding, state).get(name)).rejects.toMatchObject({
      code: "store_unavailable",
      message: `The secret github/TOKEN cannot be read: ${reason}`,
      hint: expect.stringMatching(hint),
    });
    expect(binding.uses).toBe(before);
  });

  test("that refuses to write leaves nothing behind, and what was there", async () => {
    const binding = new Binding();
    binding.refuses = true;
    await expect(open(binding).set(name, "value")).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("The secret github/TOKEN cannot be kept"),
    });
    expect(records()).toEqual([]);
    binding.refuses = false;
    await open(binding).set(name, "first");
    binding.refuses = true;
    await expect(open(binding).set(name, "second")).rejects.toThrow("cannot be kept");
    binding.refuses = false;
    expect(await open(binding).get(name)).toBe("first");
  });

  test("that refuses to remove keeps the secret's name", async () => {
    const binding = new Binding();
    await open(binding).set(name, "value");
    binding.refuses = true;
    await expect(open(binding).remove(name)).rejects.toMatchObject({ code: "store_unavailable" });
    binding.refuses = false;
    expect(await open(binding).names()).toEqual([name]);
    expect(await open(binding).get(name)).toBe("value");
  });
});

test.each([
  ["a/", "value", "A secret's name is letters"],
  ["a//b", "value", "A secret's name is letters"],
  ["a b", "value", "A secret's name is letters"],
  ["x".repeat(501), "value", "A secret's name is letters"],
  ["a", "", "is empty"],
  ["a", "b\0c", "NUL"],
  ["a", "x".repeat(64 * 1024 + 1), "65537 bytes"],
])("%j with such a value is refused", async (wrong, value, message) => {
  await expect(open().set(wrong, value)).rejects.toMatchObject({
    code: "usage",
    message: expect.stringContaining(message),
  });
  expect(existsSync(join(configDir, "server-secrets"))).toBe(false);
});

test("64 KiB are kept", async () => {
  const binding = new Binding();
  await open(binding).set("a", "x".repeat(64 * 1024));
  expect(await open(binding).get("a")).toHaveLength(64 * 1024);
});

test.each<[string, (path: string) => void]>([
  ["torn", (path) => writeFileSync(path, '{"name": "gith')],
  ["too long", (path) => writeFileSync(path, " ".repeat(5000))],
  ["of another name", (path) => writeFileSync(path, '{"name": "other", "store": "file"}')],
  ["a link", (path) => putLinkBefore(path)],
])(
  "a record that is %s is said, not used, and mended by setting the secret anew",
  async (_, spoil) => {
    const binding = new Binding();
    await open(binding).set(name, "value", "file");
    spoil(join(configDir, "server-secrets", records()[0] ?? ""));
    expect(await open(binding).get(name)).toBeUndefined();
    expect(await open(binding).names()).toEqual([]);
    expect(reports.join("")).toContain("it is not used");
    await open(binding).set(name, "again", "file");
    expect(await open(binding).get(name)).toBe("again");
  },
);

function putLinkBefore(path: string): void {
  const aside = join(configDir, "aside");
  renameSync(path, aside);
  symlinkSync(aside, path);
}
