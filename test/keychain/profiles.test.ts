import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { parseServerUrl } from "../../src/core/url.ts";
import { openProfiles } from "../../src/profiles/open-profiles.ts";
import type { Profiles } from "../../src/profiles/open-profiles.ts";
import { profileId } from "../../src/profiles/profile-id.ts";
import type { ProfileDraft } from "../../src/profiles/profile.ts";
import { processStart } from "../../src/runtime/process-start.ts";
import { buildRingProgram, startRingProcess } from "../profiles/support/ring-process.ts";
import { expectWhole, raiseStorm } from "../profiles/support/storm.ts";
import { startSecretService } from "../support/secret-service.ts";
import type { SecretService } from "../support/secret-service.ts";

// The native binding asks the process's own environment, once: the bus is always at the same place.
const runtime = mkdtempSync(join(tmpdir(), "onedoor-bus-"));
process.env["DBUS_SESSION_BUS_ADDRESS"] = `unix:path=${join(runtime, "bus")}`;
let program: string;
beforeAll(async () => {
  program = await buildRingProgram(runtime);
});
afterAll(() => rmSync(runtime, { recursive: true, force: true }));

let home: string;
let configDir: string;
let service: SecretService;
let reports: string[];
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "onedoor-keychain-"));
  configDir = join(home, "config");
  service = await startSecretService(home, runtime);
  reports = [];
});
afterEach(async () => {
  await service.stop();
  rmSync(home, { recursive: true, force: true });
});

function open(): Profiles {
  return openProfiles({
    startOf: processStart,
    configDir,
    now: Date.now,
    report: (line) => reports.push(line),
    learn: () => undefined,
    sessionBus: service.address,
  });
}

const url = "https://gw.example.com";
const { canonical, endpoint } = parseServerUrl(url);
const key: ProfileDraft = { url: canonical, name: "default", endpoint, source: "web" };
const id = profileId(key);
const registered = (): string[] => readdirSync(join(configDir, "keychain"));
const locked = {
  code: "store_unavailable",
  message: "Keychain is locked; unlock it or use --store file",
};
/** An OAuth credential, as long as they come. */
const credential = {
  token: "od_access".repeat(500),
  oauth: {
    type: "authorization_code",
    issuer: "https://id.example.com",
    tokenEndpoint: "https://id.example.com/token",
    resource: url,
    client: { id: "agent", authentication: "client_secret_basic", secret: "hush" },
    refreshToken: "refresh".repeat(4000),
  },
} as const;

test("20 processes that log in, refresh and log out at once leave every profile whole", async () => {
  const outcome = await raiseStorm(program, {
    configDir,
    sessionBus: service.address,
    store: "keychain",
    processes: 20,
    ms: 10_000,
  });
  expect(outcome).toMatchObject({ errors: [], reports: [] });
  for (const operation of ["login", "refresh", "logout", "use", "logout --all"]) {
    expect(outcome.counts[operation]).toBeGreaterThan(0);
  }
  await expectWhole(open(), configDir);
  for (const profile of await open().list()) await open().remove(profile);
  await expectWhole(open(), configDir);
  expect(await open().removeOrphans()).toBe(0);
  expect(reports).toEqual([]);
});

async function runAndDie(die: "before-secret" | "after-secret"): Promise<void> {
  const job = { kind: "save", url, token: "od_orphan", die } as const;
  const task = { configDir, sessionBus: service.address, store: "keychain", job } as const;
  expect((await startRingProcess(program, task).ended).signal).toBe("SIGKILL");
}
async function inKeychain(): Promise<string | undefined> {
  const { store } = await open().storeFor(key, "keychain");
  return store.get(id);
}

describe("a secret in the keychain that no profile knows of", () => {
  test("because its process was killed in between: logout --all finds it", async () => {
    await runAndDie("after-secret");
    expect(await open().list()).toEqual([]);
    expect(await inKeychain()).toContain('"od_orphan"');
    expect(registered()).toEqual([id]);
    expect(await open().removeOrphans()).toBe(1);
    expect(await inKeychain()).toBeUndefined();
    expect(registered()).toEqual([]);
    expect(await open().removeOrphans()).toBe(0);
  });

  test("because its profile was lost, with all the others: logout --all finds it", async () => {
    const { store } = await open().storeFor(key, "keychain");
    await open().save(key, credential, store);
    rmSync(join(configDir, "profiles"), { recursive: true });
    expect(await open().removeOrphans()).toBe(1);
    expect(await inKeychain()).toBeUndefined();
  });

  test("is not forgotten while the keychain is locked or away", async () => {
    await runAndDie("after-secret");
    await service.lock();
    await expect(open().removeOrphans()).rejects.toMatchObject(locked);
    expect(registered()).toEqual([id]);
    await service.stop();
    await expect(open().removeOrphans()).rejects.toMatchObject({
      message: expect.stringContaining("There is no keychain here"),
    });
    expect(registered()).toEqual([id]);
    service = await startSecretService(home, runtime);
    expect(await open().removeOrphans()).toBe(1);
  });

  test("because the profile moved into a file and its process was killed in between", async () => {
    const { store } = await open().storeFor(key, "keychain");
    await open().save(key, { token: "od_first" }, store);
    const job = { kind: "save", url, token: "od_in_file", die: "after-secret" } as const;
    const task = { configDir, sessionBus: service.address, store: "file", job } as const;
    await startRingProcess(program, task).ended;
    const [profile] = await open().list();
    expect(profile?.store).toBe("keychain");
    expect(await open().removeOrphans()).toBe(1);
    expect(readdirSync(join(configDir, "secrets"))).toEqual([]);
    expect(profile && (await open().credentialOf(profile))).toEqual({ token: "od_first" });
  });
});

describe("a credential that renews itself", () => {
  test("is kept whole, however long, and stays in its store when it is renewed", async () => {
    const { store } = await open().storeFor(key, "keychain");
    const profile = await open().save(key, credential, store);
    expect(await open().credentialOf(profile)).toEqual(credential);
    const longer = {
      ...credential,
      oauth: { ...credential.oauth, refreshToken: "r".repeat(50_000) },
    };
    const { signal } = new AbortController();
    const renew = () =>
      open().renew(
        profile,
        () => false,
        () => Promise.resolve({ credential: longer }),
        signal,
      );
    expect(await renew()).toMatchObject({ profile: { store: "keychain" }, credential: longer });
    expect(await open().credentialOf(profile)).toEqual(longer);
    expect(readdirSync(configDir).toSorted()).toEqual(["keychain", "profiles"]);
  });

  test.each([
    ["locked", () => service.lock()],
    ["mute", () => Promise.resolve(service.muteProvider())],
    ["behind a mute bus", () => Promise.resolve(service.muteBus())],
    ["gone", () => service.stop()],
  ])("is not renewed while the keychain is %s: nothing is used up", async (_, spoil) => {
    const { store } = await open().storeFor(key, "keychain");
    const profile = await open().save(key, credential, store);
    await spoil();
    let asked = 0;
    const { signal } = new AbortController();
    await expect(
      open().renew(
        profile,
        () => false,
        () => Promise.resolve({ credential: { token: `od_${++asked}` } }),
        signal,
      ),
    ).rejects.toMatchObject({ code: "store_unavailable" });
    expect(asked).toBe(0);
    expect(readdirSync(join(configDir, "profiles"))).toEqual([`${id}.json`]);
    expect(readdirSync(configDir).toSorted()).toEqual(["keychain", "profiles"]);
  });
});
