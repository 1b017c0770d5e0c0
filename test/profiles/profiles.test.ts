import { mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import type { CredentialStore } from "../../src/profiles/credential-store.ts";
import { createFileStore } from "../../src/profiles/file-store.ts";
import { keychainUnusable } from "../../src/profiles/keychain-error.ts";
import { profileId } from "../../src/profiles/profile-id.ts";
import {
  configDir,
  reports,
  fakeKeychain,
  open,
  draft,
  save,
  folder,
  refuse,
  fileOf,
} from "./bench.ts";

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

  test("a locked keychain is opened before anybody signs in, or refused with what to run", async () => {
    const shut = fakeKeychain({ kind: "present", locked: true });
    let openings = 0;
    const opens = { ...shut, unlock: () => Promise.resolve(void (openings += 1)) };
    expect((await open(opens).storeFor(key, undefined)).store.kind).toBe("keychain");
    expect(openings).toBe(1);
    const refuses = {
      ...shut,
      unlock: () => Promise.reject(keychainUnusable("it refused", new Error("dismissed"))),
    };
    const work = draft("https://gw.example.com/a;b", "work");
    await expect(open(refuses).storeFor(work, undefined)).rejects.toMatchObject({
      code: "store_unavailable",
      message: "Keychain is locked; unlock it or use --store file",
      hint: "agent auth login --url 'https://gw.example.com/a;b' --profile work --store file",
      cause: { message: "it refused", cause: { message: "dismissed" } },
    });
    expect((await open(refuses).storeFor(key, "file")).store.kind).toBe("file");
  });

  test("never a file where a keychain is silent, or was asked for", async () => {
    const mute = open(fakeKeychain({ kind: "mute", reason: "silent" }));
    const unusable = {
      code: "store_unavailable",
      message: "Keychain is locked; unlock it or use --store file",
      hint: "agent auth login --url https://gw.example.com --store file",
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
    await profiles.save(key, { token: "od_in_keychain" }, store);
    expect(readdirSync(join(configDir, "secrets"))).toEqual([]);
    const found = await profiles.find(key.url);
    expect(found && (await profiles.credentialOf(found))).toEqual({ token: "od_in_keychain" });
  });

  test("a read looks only into the store the profile remembers", async () => {
    const keychain = fakeKeychain({ kind: "present", locked: false });
    const profiles = open(keychain);
    await profiles.save(key, { token: "od_in_keychain" }, keychain);
    await keychain.delete(profileId(key));
    await createFileStore(join(configDir, "secrets"), () => undefined).set(
      profileId(key),
      "od_planted",
    );
    const found = await profiles.find(key.url);
    expect(found && (await profiles.credentialOf(found))).toBeUndefined();
  });
});

describe("saving", () => {
  const key = draft("https://gw.example.com");
  test("that fails in the store changes nothing", async () => {
    const profiles = open();
    await save(profiles, { ...key, who: "alice" }, "od_old");
    const { store } = await profiles.storeFor(key, "file");
    await expect(
      profiles.save({ ...key, who: "bob" }, { token: "od_new" }, { ...store, set: refuse }),
    ).rejects.toMatchObject({ code: "store_unavailable" });
    const found = await profiles.find(key.url);
    expect(found?.who).toBe("alice");
    expect(found && (await profiles.credentialOf(found))).toEqual({ token: "od_old" });
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
    await expect(profiles.save(key, { token: "od_new" }, hostile)).rejects.toBeInstanceOf(AppError);
    expect(await store.get(profileId(key))).toContain('"od_old"');
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
      const secret = (await profiles.credentialOf(profile))?.token;
      expect(secret).toBe(profile.who === undefined ? `od_${profile.url}` : `od_of_${profile.who}`);
    }
    expect(reports).toEqual([]);
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

  test("hands over what is kept while nobody can renew it, and nothing comes back", async () => {
    const profiles = open();
    await save(profiles, key, "od_kept");
    const [profile] = await profiles.list();
    let fetched = false;
    let renewal: Promise<unknown> | undefined;
    await profiles.remove(key, async (credential) => {
      expect(credential).toEqual({ token: "od_kept" });
      renewal = profiles.renew(
        profile!,
        () => false,
        () => {
          fetched = true;
          return Promise.resolve({ credential: { token: "od_renewed" } });
        },
        AbortSignal.timeout(10_000),
      );
      await Promise.resolve();
    });
    expect(await renewal).toBeUndefined();
    expect(fetched).toBe(false);
    expect(await profiles.list()).toEqual([]);
  });

  test("keeps a profile whose end could not be told", async () => {
    const profiles = open();
    await save(profiles, key);
    await expect(profiles.remove(key, refuse)).rejects.toMatchObject({ message: "locked" });
    expect(await profiles.list()).toHaveLength(1);
  });

  test("keeps the metadata while the secret cannot be removed", async () => {
    const keychain = fakeKeychain({ kind: "present", locked: false });
    const profiles = open({
      ...keychain,
      delete: refuse,
    });
    await profiles.save(key, { token: "od_secret" }, keychain);
    await expect(profiles.remove(key)).rejects.toMatchObject({ code: "store_unavailable" });
    expect(await profiles.list()).toHaveLength(1);
  });

  test("orphans go: secrets without a profile, in both stores, and what was set aside", async () => {
    const keychain = fakeKeychain({ kind: "present", locked: false });
    const profiles = open(keychain);
    const lost = draft("https://lost.example.com");
    await save(profiles, key);
    await profiles.save(lost, { token: "od_lost" }, keychain);
    writeFileSync(fileOf(lost), "{");
    await createFileStore(join(configDir, "secrets"), () => undefined).set(
      profileId(draft("https://orphan.example.com")),
      "od_orphan",
    );
    expect(await profiles.removeOrphans()).toBe(2);
    expect(readdirSync(join(configDir, "keychain"))).toEqual([]);
    expect(readdirSync(join(configDir, "secrets"))).toEqual([profileId(key)]);
    expect(readdirSync(folder())).toEqual([`${profileId(key)}.json`]);
    expect(await profiles.removeOrphans()).toBe(0);
  });
});
