import { expect, test } from "vitest";
import { parseServerUrl } from "../../src/core/url.ts";
import type { CredentialStore } from "../../src/profiles/credential-store.ts";
import { profileId } from "../../src/profiles/profile-id.ts";
import type { ProfileKey } from "../../src/profiles/profile.ts";

export function keyOf(url: string, name = "default"): ProfileKey {
  return { url: parseServerUrl(url).canonical, name };
}

/** What every credential store does. `create` opens the same place again and again. */
export function credentialStoreSuite(create: () => CredentialStore): void {
  const key = keyOf("https://gw.example.com/team");

  test("gives back what was set, also when opened again", async () => {
    await create().set(key, "od_first");
    expect(await create().get(key)).toBe("od_first");
    await create().set(key, "od_second");
    expect(await create().get(key)).toBe("od_second");
  });

  test("knows nothing of what was never set", async () => {
    const never = keyOf("https://never.example.com");
    expect(await create().get(never)).toBeUndefined();
    expect(await create().delete(never)).toBe(false);
  });

  test("keeps names and URLs apart", async () => {
    const others = [
      keyOf("https://gw.example.com/team", "work"),
      keyOf("https://gw.example.com/te"),
    ];
    const store = create();
    await store.set(key, "mine");
    for (const other of others) expect(await store.get(other)).toBeUndefined();
    await Promise.all(others.map((other) => store.set(other, `of ${other.url} ${other.name}`)));
    expect(await store.get(key)).toBe("mine");
    for (const other of others)
      expect(await store.get(other)).toBe(`of ${other.url} ${other.name}`);
  });

  test("deletes once", async () => {
    await create().set(key, "gone soon");
    expect(await create().delete(key)).toBe(true);
    expect(await create().get(key)).toBeUndefined();
    expect(await create().delete(key)).toBe(false);
  });

  test("takes any token: long, with every printable character, and what is not ASCII", async () => {
    const printable = Array.from({ length: 94 }, (_, index) => String.fromCodePoint(33 + index));
    for (const secret of [printable.join(""), "x".repeat(8000), "ünï→🔑"]) {
      await create().set(key, secret);
      expect(await create().get(key)).toBe(secret);
    }
  });

  test("of parallel writers one wins, whole", async () => {
    const secrets = Array.from({ length: 20 }, (_, index) => `${index}-`.repeat(500));
    await Promise.all(secrets.map((secret) => create().set(key, secret)));
    expect(secrets).toContain(await create().get(key));
  });

  test("removes what was lost and keeps what is owned", async () => {
    const lost = keyOf("https://lost.example.com");
    const store = create();
    await store.set(lost, "nobody's");
    await store.set(key, "somebody's");
    const owned = new Set([profileId(key)]);
    expect(await store.deleteOrphans([profileId(lost)], owned)).toBeGreaterThanOrEqual(1);
    expect(await store.get(lost)).toBeUndefined();
    expect(await store.get(key)).toBe("somebody's");
    expect(await store.deleteOrphans([profileId(lost)], owned)).toBe(0);
  });
}
