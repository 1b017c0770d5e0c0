import { expect, test } from "vitest";
import { parseServerUrl } from "../../src/core/url.ts";
import type { CredentialStore } from "../../src/profiles/credential-store.ts";
import { profileId } from "../../src/profiles/profile-id.ts";

export function idOf(url: string, name = "default"): string {
  return profileId({ url: parseServerUrl(url).canonical, name });
}

/** What every credential store does. `create` opens the same place again and again. */
export function credentialStoreSuite(create: () => CredentialStore): void {
  const key = idOf("https://gw.example.com/team");

  test("gives back what was set, also when opened again", async () => {
    await create().set(key, "od_first");
    expect(await create().get(key)).toBe("od_first");
    await create().set(key, "od_second");
    expect(await create().get(key)).toBe("od_second");
  });

  test("knows nothing of what was never set", async () => {
    const never = idOf("https://never.example.com");
    expect(await create().get(never)).toBeUndefined();
    expect(await create().delete(never)).toBe(false);
  });

  test("keeps names and URLs apart", async () => {
    const others = [idOf("https://gw.example.com/team", "work"), idOf("https://gw.example.com/te")];
    const store = create();
    await store.set(key, "mine");
    for (const other of others) expect(await store.get(other)).toBeUndefined();
    await Promise.all(others.map((other) => store.set(other, `of ${other}`)));
    expect(await store.get(key)).toBe("mine");
    for (const other of others) expect(await store.get(other)).toBe(`of ${other}`);
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

  test("takes 64 KiB and says what is longer; what was there stays", async () => {
    const longest = "x".repeat(64 * 1024);
    await create().set(key, longest);
    expect(await create().get(key)).toBe(longest);
    await expect(create().set(key, `${longest}x`)).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining("65537 bytes"),
    });
    expect(await create().get(key)).toBe(longest);
    await create().set(key, "short again");
    expect(await create().get(key)).toBe("short again");
  });

  test("tells which secrets may be there", async () => {
    const [one, other] = [idOf("https://one.example.com"), idOf("https://other.example.com")];
    await create().set(one, "1");
    await create().set(other, "2");
    expect(await create().ids()).toEqual(expect.arrayContaining([one, other]));
    await create().delete(one);
    expect(await create().ids()).not.toContain(one);
    expect(await create().ids()).toContain(other);
    await create().delete(other);
  });
}

/** Of stores that replace a text as a whole, so that nobody has to hold a lock. */
export function parallelWritersSuite(create: () => CredentialStore): void {
  test("of parallel writers one wins, whole", async () => {
    const key = idOf("https://many.example.com");
    const secrets = Array.from({ length: 20 }, (_, index) => `${index}-`.repeat(500));
    await Promise.all(secrets.map((secret) => create().set(key, secret)));
    expect(secrets).toContain(await create().get(key));
  });
}
