import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { CredentialStore } from "../../src/profiles/credential-store.ts";
import { profileId } from "../../src/profiles/profile-id.ts";
import {
  configDir,
  draft,
  fakeKeychain,
  fileOf,
  learned,
  open,
  refuse,
  reports,
  save,
} from "./bench.ts";

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
          () => Promise.resolve({ credential: { token: `od_new${++fetched}` }, expiresAtMs: 100 }),
          new AbortController().signal,
        ),
      ),
    );
    expect(fetched).toBe(1);
    expect(new Set(renewed.map((result) => result?.credential.token))).toEqual(
      new Set(["od_new1"]),
    );
    expect((await profiles.find(key.url))?.expiresAtMs).toBe(100);
  });

  test("makes no profile younger: the default stays the default", async () => {
    const profiles = open();
    await save(profiles, draft("https://first.example.com"));
    await save(profiles, key);
    const [first, second] = await profiles.list();
    if (!first) throw new Error("lost");
    const session = { token: "od_new", session: { refreshToken: "refresh_new" } };
    const renewed = await profiles.renew(
      first,
      () => false,
      () => Promise.resolve({ credential: session }),
      new AbortController().signal,
    );
    const { createdAtMs } = first;
    expect(renewed?.profile).toMatchObject({ createdAtMs, renewedAtMs: expect.any(Number) });
    expect(await profiles.list()).toEqual([renewed?.profile, second]);
    expect(await profiles.findDefault()).toEqual(renewed?.profile);
  });

  test("and saving write down whether the credential renews itself", async () => {
    const profiles = open();
    const renews = async (): Promise<boolean | undefined> => (await profiles.list())[0]?.renews;
    await save(profiles, key, "od_plain");
    expect(await renews()).toBe(false);
    const [profile] = await profiles.list();
    if (!profile) throw new Error("lost");
    const { signal } = new AbortController();
    for (const session of [{ refreshToken: "refresh" }, undefined]) {
      const credential = { token: "od_session", session };
      await profiles.renew(
        profile,
        () => false,
        () => Promise.resolve({ credential }),
        signal,
      );
      expect(await renews()).toBe(session !== undefined);
    }
  });

  test("asks no server while its store takes nothing: what is kept is not used up", async () => {
    const keychain = fakeKeychain({ kind: "present", locked: false });
    await open(keychain).save(key, { token: "od_old" }, keychain);
    const [old] = await open(keychain).list();
    if (!old) throw new Error("lost");
    let asked = 0;
    await expect(
      open({ ...keychain, set: refuse }).renew(
        old,
        () => false,
        () => Promise.resolve({ credential: { token: `od_${++asked}` } }),
        new AbortController().signal,
      ),
    ).rejects.toMatchObject({ code: "store_unavailable", message: "locked" });
    expect(asked).toBe(0);
  });

  test("keeps what is shorter or longer than the room that was made for it, and gives the room back", async () => {
    const profiles = open();
    await save(profiles, key, "od_old");
    const [old] = await profiles.list();
    if (!old) throw new Error("lost");
    const { signal } = new AbortController();
    for (const token of ["ö".repeat(20_000), "od_short", "x".repeat(9000)]) {
      const fetch = () => Promise.resolve({ credential: { token } });
      await profiles.renew(old, () => false, fetch, signal);
      expect(await open().credentialOf(old)).toEqual({ token });
      expect(readdirSync(join(configDir, "secrets"))).toEqual([profileId(key)]);
      expect(readFileSync(join(configDir, "secrets", profileId(key)), "utf8")).toMatch(/\}$/u);
    }
    await expect(profiles.renew(old, () => false, refuse, signal)).rejects.toThrow("locked");
    expect(await open().credentialOf(old)).toEqual({ token: "x".repeat(9000) });
    expect(readdirSync(join(configDir, "secrets"))).toEqual([profileId(key)]);
  });

  test("hands over what is kept, and changes neither its place nor its key", async () => {
    const keychain = fakeKeychain({ kind: "present", locked: false });
    const profiles = open(keychain);
    const kept = { token: "od_old", session: { refreshToken: "refresh_old" } };
    await profiles.save(key, kept, keychain);
    const [old] = await profiles.list();
    if (!old) throw new Error("lost");
    const elsewhere = {
      ...draft("https://elsewhere.example.com", "other"),
      store: "file" as const,
    };
    const { signal } = new AbortController();
    const renewed = await open(keychain).renew(
      old,
      () => false,
      ({ profile, credential }) => {
        expect({ profile, credential }).toEqual({ profile: old, credential: kept });
        return Promise.resolve({ ...elsewhere, credential: { token: "od_new" } });
      },
      signal,
    );
    expect(renewed?.profile).toMatchObject({ url: key.url, name: key.name, store: "keychain" });
    expect(await keychain.get(profileId(key))).toContain('"od_new"');
    expect(existsSync(join(configDir, "secrets"))).toBe(false);
  });

  test("whose new secret cannot be kept says so; what was there is as it was", async () => {
    const keychain = fakeKeychain({ kind: "present", locked: false });
    await open(keychain).save(key, { token: "od_old" }, keychain);
    const [old] = await open(keychain).list();
    if (!old) throw new Error("lost");
    const { signal } = new AbortController();
    let full = false;
    const set: CredentialStore["set"] = (...args) => (full ? refuse() : keychain.set(...args));
    await expect(
      open({ ...keychain, set }).renew(
        old,
        () => false,
        () => {
          full = true;
          return Promise.resolve({ credential: { token: "od_new" }, expiresAtMs: 100 });
        },
        signal,
      ),
    ).rejects.toMatchObject({
      code: "store_unavailable",
      message: `The token of ${key.url} was renewed and cannot be kept: locked`,
    });
    expect(await open(keychain).list()).toEqual([old]);
    expect(await open(keychain).credentialOf(old)).toEqual({ token: "od_old" });
    expect(learned).toContain("od_new");
  });

  test("whose metadata cannot be written keeps the new secret: the old one is used up", async () => {
    const profiles = open();
    await save(profiles, key, "od_old");
    const [old] = await profiles.list();
    if (!old) throw new Error("lost");
    const renewed = await profiles.renew(
      old,
      () => false,
      () => {
        // The file turns into a folder, while the server is being asked.
        rmSync(fileOf(key));
        mkdirSync(join(fileOf(key), "x"), { recursive: true });
        return Promise.resolve({ credential: { token: "od_new" }, expiresAtMs: 100 });
      },
      new AbortController().signal,
    );
    expect(renewed?.credential).toEqual({ token: "od_new" });
    expect(reports).toEqual([expect.stringContaining("was renewed, its profile was not")]);
    expect(await profiles.credentialOf(old)).toEqual({ token: "od_new" });
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
