import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, expect, test } from "vitest";
import { keychainCheck } from "../../src/cli/doctor/checks/keychain.ts";
import type { Finding } from "../../src/cli/doctor/check.ts";
import type { Ground } from "../../src/cli/doctor/ground.ts";
import { parseServerUrl } from "../../src/core/url.ts";
import { createKeychainStore } from "../../src/profiles/keychain-store.ts";
import { openProfiles } from "../../src/profiles/open-profiles.ts";
import { surveyKeyRing } from "../../src/profiles/survey-key-ring.ts";
import { processStart } from "../../src/runtime/process-start.ts";
import { startSecretService } from "../support/secret-service.ts";
import type { SecretService } from "../support/secret-service.ts";

// The native binding asks the process's own environment, once: the bus is always at the same place.
const runtime = mkdtempSync(join(tmpdir(), "onedoor-bus-"));
process.env["DBUS_SESSION_BUS_ADDRESS"] = `unix:path=${join(runtime, "bus")}`;
afterAll(() => rmSync(runtime, { recursive: true, force: true }));

let home: string;
let configDir: string;
let service: SecretService;
beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "onedoor-keychain-"));
  configDir = join(home, "config");
  service = await startSecretService(home, runtime);
});
afterEach(async () => {
  await service.stop();
  rmSync(home, { recursive: true, force: true });
});

const { canonical: url, endpoint } = parseServerUrl("https://gw.example.com");

async function signIn(): Promise<void> {
  const profiles = openProfiles({
    startOf: processStart,
    configDir,
    now: Date.now,
    report: () => undefined,
    learn: () => undefined,
    sessionBus: service.address,
  });
  const draft = { url, name: "default", endpoint, source: "option" } as const;
  const { store } = await profiles.storeFor(draft, "keychain");
  await profiles.save(draft, { token: "od_in_the_keychain" }, store);
}

async function look(): Promise<readonly Finding[]> {
  const keychain = createKeychainStore({
    configDir,
    sessionBus: service.address,
    report: () => undefined,
  });
  const survey = await surveyKeyRing(configDir);
  // Nothing else of it is used by this check.
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  const ground = { survey, keychain: () => Promise.resolve(keychain) } as Ground;
  return [await keychainCheck.look(ground, new AbortController().signal)].flat();
}

const login = "agent auth login --url https://gw.example.com --store file";

test("a keychain that takes an entry and gives it back, and leaves nothing of it", async () => {
  await signIn();
  for (const _time of [1, 2]) {
    expect(await look()).toEqual([
      { name: "keychain", state: "ok", message: "An entry was written, read and removed again" },
      { name: "keychain", state: "ok", message: "1 tokens of profiles, and no other" },
    ]);
  }
  await service.lock();
  const [line] = await look();
  expect(line).toMatchObject({ state: "fail", message: "It is locked: unlock it", mend: login });
});

test("a token that belongs to no profile", async () => {
  await signIn();
  rmSync(join(configDir, "profiles"), { recursive: true });
  const [, line] = await look();
  expect(line).toMatchObject({ state: "warn", mend: "agent auth logout --all" });
  expect(line?.message).toContain("1 of its tokens");
});

test.each([
  ["mute", () => Promise.resolve(service.muteProvider()), "It does not answer"],
  ["behind a mute bus", () => Promise.resolve(service.muteBus()), "It does not answer"],
  ["gone", () => service.stop(), "There is none here"],
])("a keychain that is %s, with a profile in it", async (_, spoil, message) => {
  await signIn();
  await spoil();
  const [line] = await look();
  expect(line).toMatchObject({
    state: "fail",
    message: expect.stringContaining(message),
    mend: login,
  });
});

test("without a profile in it, none at all is no failure", async () => {
  await service.stop();
  expect(await look()).toMatchObject([{ state: "ok" }]);
});
