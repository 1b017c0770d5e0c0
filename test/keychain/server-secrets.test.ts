import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { openProfiles } from "../../src/profiles/open-profiles.ts";
import { openServerSecrets } from "../../src/profiles/server-secrets.ts";
import type { ServerSecrets } from "../../src/profiles/server-secrets.ts";
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

const common = () => ({
  startOf: processStart,
  configDir,
  report: (line: string) => void reports.push(line),
  learn: () => undefined,
  sessionBus: service.address,
});
const open = (): ServerSecrets => openServerSecrets(common());
const name = "github/TOKEN";

test("a secret lives in the keychain, whatever it holds, and goes from it", async () => {
  const long = "ü→🔑\n".repeat(6000);
  expect((await open().set(name, long)).store.kind).toBe("keychain");
  expect(await open().get(name)).toBe(long);
  expect(await open().names()).toEqual([name]);
  expect(readdirSync(configDir).toSorted()).toEqual(["keychain", "server-secrets"]);
  expect(await open().remove(name)).toBe(true);
  expect(await open().get(name)).toBeUndefined();
  expect(readdirSync(join(configDir, "keychain"))).toEqual([]);
  expect(reports).toEqual([]);
});

test("signing out of everything leaves it there", async () => {
  await open().set(name, "stays");
  const profiles = openProfiles({ ...common(), now: Date.now });
  expect(await profiles.list()).toEqual([]);
  expect(await profiles.removeOrphans()).toBe(0);
  expect(await open().get(name)).toBe("stays");
});

describe("a keychain that is", () => {
  test.each([
    ["locked", () => service.lock(), "the keychain is locked"],
    ["mute", () => Promise.resolve(service.muteProvider()), ""],
    ["behind a mute bus", () => Promise.resolve(service.muteBus()), ""],
    ["gone", () => service.stop(), ""],
  ])("%s: an error that names the secret, and no file in its place", async (_, spoil, reason) => {
    await open().set(name, "kept");
    await spoil();
    await expect(open().get(name)).rejects.toMatchObject({
      code: "store_unavailable",
      message: expect.stringContaining(`The secret github/TOKEN cannot be read: ${reason}`),
    });
    await expect(open().set(name, "new", "keychain")).rejects.toMatchObject({
      code: "store_unavailable",
    });
    expect(readdirSync(configDir).toSorted()).toEqual(["keychain", "server-secrets"]);
  });
});
