import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseServerUrl } from "../../src/core/url.ts";
import { profileId } from "../../src/profiles/profile-id.ts";
import { configDir, reports, open, draft, save, folder, modeOf, fileOf } from "./bench.ts";

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
    expect(found && (await profiles.credentialOf(found))).toEqual({ token: "od_secret" });
    expect(modeOf(fileOf(profile))).toBe(0o600);
    expect(modeOf(secret)).toBe(0o600);
    expect(modeOf(folder())).toBe(0o700);
    expect(reports.join("\n")).toMatch(/\.json was open to others \(mode 0644\)/u);
    expect(reports.join("\n")).toMatch(/mode 0640/u);
  });

  test("in the folder of secrets are closed to others even where no profile leads to them", async () => {
    const profile = draft("https://gw.example.com");
    await save(open(), profile);
    const secrets = join(configDir, "secrets");
    const secret = join(secrets, profileId(profile));
    writeFileSync(join(configDir, "of-somebody"), "", { mode: 0o644 });
    symlinkSync("../of-somebody", join(secrets, "link"));
    writeFileSync(fileOf(profile), "{ torn");
    chmodSync(secrets, 0o755);
    chmodSync(secret, 0o644);
    expect(await open().list()).toEqual([]);
    expect([modeOf(secrets), modeOf(secret)]).toEqual([0o700, 0o600]);
    expect(modeOf(join(configDir, "of-somebody"))).toBe(0o644);
    expect(reports).toEqual(
      expect.arrayContaining([
        `${secrets} was open to others (mode 0755); it is 0700 now`,
        `${secret} was open to others (mode 0644); it is 0600 now`,
      ]),
    );
    reports.length = 0;
    await open().list();
    expect(reports).toEqual([]);
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
    [
      "made at no time",
      JSON.stringify({ ...bad, endpoint: bad.url, store: "file", createdAtMs: 1e300 }),
    ],
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

  test("tell no time that no clock shows", async () => {
    await save(open(), bad);
    const [kept] = await open().list();
    const times = { expiresAtMs: 1e300, renewedAtMs: -1e300, chosenAtMs: 8.64e15 + 1 };
    writeFileSync(fileOf(bad), JSON.stringify({ ...kept, ...times }), { mode: 0o600 });
    expect(await open().list()).toEqual([kept]);
    writeFileSync(fileOf(bad), JSON.stringify({ ...kept, expiresAtMs: 8.64e15 }), { mode: 0o600 });
    expect(await open().list()).toEqual([{ ...kept, expiresAtMs: 8.64e15 }]);
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

  test("over all: the one chosen last, whatever clock the earlier choice was made by", async () => {
    const profiles = open();
    await save(profiles, draft("https://a.example.com"));
    await save(profiles, draft("https://b.example.com"));
    const [first, second] = await profiles.list();
    if (!first || !second) throw new Error("lost");
    const ahead = { ...first, chosenAtMs: 9_000_000 };
    writeFileSync(fileOf(first), JSON.stringify(ahead), { mode: 0o600 });
    await profiles.choose(second);
    expect((await profiles.findDefault())?.url).toBe(second.url);
    await profiles.choose(first);
    expect((await profiles.findDefault())?.url).toBe(first.url);
  });

  test("over all: the first stays the first when it is signed in anew", async () => {
    const profiles = open();
    await save(profiles, draft("https://a.example.com"));
    await save(profiles, draft("https://b.example.com"));
    const [first] = await profiles.list();
    await save(profiles, draft("https://a.example.com"), "od_new");
    const [again] = await profiles.list();
    expect(again).toMatchObject({ url: first?.url, createdAtMs: first?.createdAtMs });
    // And the token is known to be another one.
    expect(again?.renewedAtMs).toBeGreaterThan(first?.createdAtMs ?? Infinity);
    expect((await profiles.findDefault())?.url).toBe(first?.url);
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
