import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import { parseServerUrl } from "../../src/core/url.ts";
import type { CredentialStore } from "../../src/profiles/credential-store.ts";
import { createFileStore } from "../../src/profiles/file-store.ts";
import type { Keychain } from "../../src/profiles/keychain-store.ts";
import { openProfiles } from "../../src/profiles/open-profiles.ts";
import type { Profiles } from "../../src/profiles/open-profiles.ts";
import { profileId } from "../../src/profiles/profile-id.ts";
import type { ProfileDraft } from "../../src/profiles/profile.ts";
import type { KeychainState } from "../../src/profiles/secret-service.ts";

let configDir: string;
let reports: string[];
let learned: Set<string>;
let clock: number;
const absent: KeychainState = { kind: "absent", reason: "there is no session bus" };

beforeEach(() => {
  configDir = mkdtempSync(join(tmpdir(), "onedoor-profiles-"));
  reports = [];
  learned = new Set();
  clock = 1000;
});
afterEach(() => rmSync(configDir, { recursive: true, force: true }));

/** A keychain in memory that is in the state given. */
function fakeKeychain(state: KeychainState): Keychain {
  const store = createFileStore(join(configDir, "keychain"), () => undefined);
  return {
    ...store,
    kind: "keychain",
    description: "the system keychain",
    state: () => Promise.resolve(state),
  };
}

function open(keychain: Keychain = fakeKeychain(absent)): Profiles {
  return openProfiles({
    learn: (secret) => learned.add(secret),
    configDir,
    now: () => clock++,
    report: (line) => reports.push(line),
    sessionBus: undefined,
    keychain,
  });
}

function draft(url: string, name = "default", more: Partial<ProfileDraft> = {}): ProfileDraft {
  const { canonical, endpoint } = parseServerUrl(url);
  return { url: canonical, name, endpoint, source: "option", ...more };
}

async function save(
  profiles: Profiles,
  profile: ProfileDraft,
  secret = "od_secret",
): Promise<void> {
  const { store } = await profiles.storeFor(profile, "file");
  await profiles.save(profile, secret, store);
}

function folder(): string {
  return join(configDir, "profiles");
}

function refuse(): Promise<never> {
  return Promise.reject(new AppError("store_unavailable", "locked"));
}

function modeOf(path: string): number {
  return statSync(path).mode & 0o777;
}

function fileOf(profile: ProfileDraft): string {
  return join(folder(), `${profileId(profile)}.json`);
}

describe("profile files", () => {
  test("are 0600 in a 0700 directory, whatever the umask says, and hold no secret", async () => {
    const before = process.umask(0);
    try {
      await save(open(), draft("https://gw.example.com"));
    } finally {
      process.umask(before);
    }
    const path = fileOf(draft("https://gw.example.com"));
    expect(modeOf(folder())).toBe(0o700);
    expect(modeOf(path)).toBe(0o600);
    expect(modeOf(join(configDir, "secrets"))).toBe(0o700);
    expect(modeOf(join(configDir, "secrets", profileId(draft("https://gw.example.com"))))).toBe(
      0o600,
    );
    expect(readFileSync(path, "utf8")).not.toContain("od_secret");
    expect(readdirSync(folder())).toEqual([`${profileId(draft("https://gw.example.com"))}.json`]);
  });

  test("keep everything, dots in values and all", async () => {
    const full = draft("https://gw.example.com/a.b", "work.mail@home", {
      server: "onedoor",
      instanceId: "i",
      tokenId: "t",
      who: "a.l.i.c.e",
      role: "admin",
      expiresAtMs: 5,
    });
    await save(open(), full);
    expect(await open().find(full.url, full.name)).toMatchObject({ ...full, store: "file" });
  });

  test("open to others are mended, and that is said", async () => {
    const profile = draft("https://gw.example.com");
    await save(open(), profile);
    const secret = join(configDir, "secrets", profileId(profile));
    chmodSync(fileOf(profile), 0o644);
    chmodSync(secret, 0o640);
    chmodSync(folder(), 0o755);
    const profiles = open();
    const [found] = await profiles.list();
    expect(found && (await profiles.secretOf(found))).toBe("od_secret");
    expect(modeOf(fileOf(profile))).toBe(0o600);
    expect(modeOf(secret)).toBe(0o600);
    expect(modeOf(folder())).toBe(0o700);
    expect(reports.join("\n")).toMatch(/\.json was open to others \(mode 0644\)/u);
    expect(reports.join("\n")).toMatch(/mode 0640/u);
  });

  const good = draft("https://good.example.com");
  const bad = draft("https://bad.example.com");
  test.each([
    ["torn", "{ torn"],
    ["null", "null"],
    ["a list", "[1]"],
    ["empty", ""],
    ["without a URL", JSON.stringify({ name: "default" })],
    ["another URL's", JSON.stringify({ ...good, store: "file", createdAtMs: 1 })],
    [
      "sent elsewhere",
      JSON.stringify({ ...bad, endpoint: "https://evil.example/", store: "file", createdAtMs: 1 }),
    ],
    [
      "sent elsewhere by its verified endpoint",
      JSON.stringify({
        ...bad,
        verifiedEndpoint: "https://evil.example/",
        store: "file",
        createdAtMs: 1,
      }),
    ],
    ["too long", " ".repeat(70_000)],
  ])("that are corrupt (%s) are set aside with their content; others go on", async (_, content) => {
    await save(open(), good);
    await save(open(), bad);
    writeFileSync(fileOf(bad), content, { mode: 0o600 });
    expect((await open().list()).map(({ url }) => url)).toEqual([good.url]);
    expect(reports).toHaveLength(1);
    expect(reports[0]).toContain(fileOf(bad));
    const kept = readdirSync(folder()).find((name) => name.includes(".corrupt-")) ?? "";
    expect(readFileSync(join(folder(), kept), "utf8")).toBe(content);
    // Said once; and the profile can be made again.
    reports.length = 0;
    await save(open(), bad);
    expect((await open().list()).map(({ url }) => url)).toEqual([good.url, bad.url]);
    expect(reports).toEqual([]);
  });

  test("that are links are not followed", async () => {
    await save(open(), good);
    const elsewhere = join(configDir, "elsewhere.json");
    writeFileSync(elsewhere, JSON.stringify({ ...bad, store: "file", createdAtMs: 1 }));
    symlinkSync(elsewhere, fileOf(bad));
    expect((await open().list()).map(({ url }) => url)).toEqual([good.url]);
    expect(reports.join()).toContain("is a link");
    expect(readFileSync(elsewhere, "utf8")).toContain("bad.example.com");
  });

  test("a folder or other files beside them are no profiles", async () => {
    await save(open(), good);
    mkdirSync(join(folder(), `${"0".repeat(32)}.json`));
    writeFileSync(join(folder(), "notes.json"), "{}");
    writeFileSync(join(folder(), `${"1".repeat(32)}.json.tmp-1`), "{");
    expect((await open().list()).map(({ url }) => url)).toEqual([good.url]);
  });
});

describe("which profile", () => {
  test("of a URL: the chosen one, else default, else the oldest", async () => {
    const profiles = open();
    const url = parseServerUrl("https://gw.example.com").canonical;
    const nameFound = async (): Promise<string | undefined> => (await profiles.find(url))?.name;
    expect(await nameFound()).toBeUndefined();
    await save(profiles, draft(url, "work"));
    await save(profiles, draft(url, "home"));
    expect(await nameFound()).toBe("work");
    await save(profiles, draft(url));
    expect(await nameFound()).toBe("default");
    const home = await profiles.find(url, "home");
    await profiles.choose(home ?? (await Promise.reject(new Error("lost"))));
    expect(await nameFound()).toBe("home");
    // Signing in again keeps the choice.
    await save(profiles, draft(url, "home"), "od_new");
    expect(await nameFound()).toBe("home");
    await profiles.remove({ url, name: "home" });
    expect(await nameFound()).toBe("default");
  });

  test("over all: the one chosen last, else the oldest", async () => {
    const profiles = open();
    await save(profiles, draft("https://b.example.com"));
    await save(profiles, draft("https://a.example.com"));
    expect((await profiles.findDefault())?.url).toBe("https://b.example.com");
    const [, second] = await profiles.list();
    await profiles.choose(second ?? (await Promise.reject(new Error("lost"))));
    expect((await profiles.findDefault())?.url).toBe("https://a.example.com");
    expect(await profiles.findDefault("work")).toBeUndefined();
  });
});

describe("where the secret goes", () => {
  const key = draft("https://gw.example.com");

  test("the keychain where there is one", async () => {
    const profiles = open(fakeKeychain({ kind: "present", locked: false }));
    expect((await profiles.storeFor(key, undefined)).store.kind).toBe("keychain");
  });

  test("a file where there is none, announced", async () => {
    expect(await open().storeFor(key, undefined)).toMatchObject({
      store: { kind: "file" },
      keychainAbsence: "there is no session bus",
    });
  });

  test("a file that was asked for, unannounced", async () => {
    const profiles = open(fakeKeychain({ kind: "mute", reason: "silent" }));
    expect(await profiles.storeFor(key, "file")).toEqual({
      store: expect.objectContaining({ kind: "file" }),
    });
  });

  test("never a file where a keychain is silent, or was asked for", async () => {
    const mute = open(fakeKeychain({ kind: "mute", reason: "silent" }));
    const unusable = {
      code: "store_unavailable",
      message: "Keychain is locked; unlock it or use --store file",
    };
    await expect(mute.storeFor(key, undefined)).rejects.toMatchObject(unusable);
    await expect(open().storeFor(key, "keychain")).rejects.toMatchObject({
      code: "store_unavailable",
    });
  });

  test("the store an earlier profile remembers", async () => {
    const keychain = fakeKeychain({ kind: "present", locked: false });
    await save(open(keychain), key);
    expect((await open(keychain).storeFor(key, undefined)).store.kind).toBe("file");
  });

  test("changing the store leaves no copy behind", async () => {
    const keychain = fakeKeychain({ kind: "present", locked: false });
    const profiles = open(keychain);
    await save(profiles, key, "od_in_file");
    const { store } = await profiles.storeFor(key, "keychain");
    await profiles.save(key, "od_in_keychain", store);
    expect(readdirSync(join(configDir, "secrets"))).toEqual([]);
    const found = await profiles.find(key.url);
    expect(found && (await profiles.secretOf(found))).toBe("od_in_keychain");
  });

  test("a read looks only into the store the profile remembers", async () => {
    const keychain = fakeKeychain({ kind: "present", locked: false });
    const profiles = open(keychain);
    await profiles.save(key, "od_in_keychain", keychain);
    await keychain.delete(key);
    await createFileStore(join(configDir, "secrets"), () => undefined).set(key, "od_planted");
    const found = await profiles.find(key.url);
    expect(found && (await profiles.secretOf(found))).toBeUndefined();
  });
});

describe("saving", () => {
  const key = draft("https://gw.example.com");
  test("that fails in the store changes nothing", async () => {
    const profiles = open();
    await save(profiles, { ...key, who: "alice" }, "od_old");
    const { store } = await profiles.storeFor(key, "file");
    await expect(
      profiles.save({ ...key, who: "bob" }, "od_new", { ...store, set: refuse }),
    ).rejects.toMatchObject({ code: "store_unavailable" });
    const found = await profiles.find(key.url);
    expect(found?.who).toBe("alice");
    expect(found && (await profiles.secretOf(found))).toBe("od_old");
  });

  test("whose metadata cannot be written takes the secret back", async () => {
    const profiles = open();
    await save(profiles, key, "od_old");
    const { store } = await profiles.storeFor(key, "file");
    // The file turns into a folder, while the new secret is being written.
    const hostile: CredentialStore = {
      ...store,
      set: async (...args) => {
        rmSync(fileOf(key), { recursive: true });
        mkdirSync(join(fileOf(key), "x"), { recursive: true });
        await store.set(...args);
      },
    };
    await expect(profiles.save(key, "od_new", hostile)).rejects.toBeInstanceOf(AppError);
    expect(await store.get(key)).toBe("od_old");
  });

  test("by many at once leaves each profile whole", async () => {
    const urls = Array.from({ length: 20 }, (_, index) => `https://gw${index}.example.com`);
    await Promise.all(urls.map((url) => save(open(), draft(url), `od_${url}`)));
    const same = draft("https://same.example.com");
    await Promise.all(urls.map((who) => save(open(), { ...same, who }, `od_of_${who}`)));
    const profiles = open();
    const all = await profiles.list();
    expect(all).toHaveLength(21);
    for (const profile of all) {
      const secret = await profiles.secretOf(profile);
      expect(secret).toBe(profile.who === undefined ? `od_${profile.url}` : `od_of_${profile.who}`);
    }
    expect(reports).toEqual([]);
  });
});

describe("renewing", () => {
  const key = draft("https://gw.example.com", "default", { expiresAtMs: 10 });

  test("happens once, however many ask", async () => {
    const profiles = open();
    await save(profiles, key, "od_old");
    const [old] = await profiles.list();
    if (!old) throw new Error("lost");
    let fetched = 0;
    const renewed = await Promise.all(
      Array.from({ length: 20 }, () =>
        open().renew(
          old,
          ({ expiresAtMs = 0 }) => expiresAtMs > 50,
          () => Promise.resolve({ secret: `od_new${++fetched}`, expiresAtMs: 100 }),
          new AbortController().signal,
        ),
      ),
    );
    expect(fetched).toBe(1);
    expect(new Set(renewed.map((result) => result?.secret))).toEqual(new Set(["od_new1"]));
    expect((await profiles.find(key.url))?.expiresAtMs).toBe(100);
  });

  test("of a profile that was removed meanwhile brings nothing back", async () => {
    const profiles = open();
    await save(profiles, key);
    const [old] = await profiles.list();
    if (!old) throw new Error("lost");
    await profiles.remove(key);
    const { signal } = new AbortController();
    expect(await profiles.renew(old, () => false, refuse, signal)).toBeUndefined();
    expect(await profiles.list()).toEqual([]);
  });
});

describe("removing", () => {
  const key = draft("https://gw.example.com");

  test("takes secret and metadata, once", async () => {
    const profiles = open();
    await save(profiles, key);
    expect(await profiles.remove(key)).toBe(true);
    expect(await profiles.remove(key)).toBe(false);
    expect(readdirSync(join(configDir, "secrets"))).toEqual([]);
    expect(readdirSync(folder())).toEqual([]);
  });

  test("keeps the metadata while the secret cannot be removed", async () => {
    const keychain = fakeKeychain({ kind: "present", locked: false });
    const profiles = open({
      ...keychain,
      delete: refuse,
    });
    await profiles.save(key, "od_secret", keychain);
    await expect(profiles.remove(key)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await profiles.list()).toHaveLength(1);
  });

  test("orphans go: secrets without a profile, in both stores, and what was set aside", async () => {
    const keychain = fakeKeychain({ kind: "present", locked: false });
    const profiles = open(keychain);
    const lost = draft("https://lost.example.com");
    await save(profiles, key);
    await profiles.save(lost, "od_lost", keychain);
    writeFileSync(fileOf(lost), "{");
    await createFileStore(join(configDir, "secrets"), () => undefined).set(
      draft("https://orphan.example.com"),
      "od_orphan",
    );
    expect(await profiles.removeOrphans()).toBe(2);
    expect(readdirSync(join(configDir, "keychain"))).toEqual([]);
    expect(readdirSync(join(configDir, "secrets"))).toEqual([profileId(key)]);
    expect(readdirSync(folder())).toEqual([`${profileId(key)}.json`]);
    expect(await profiles.removeOrphans()).toBe(0);
  });
});
