import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeEach, describe, expect, test } from "vitest";
import { createKeychainStore } from "../../src/profiles/keychain-store.ts";
import type { Keychain } from "../../src/profiles/keychain-store.ts";
import { probeSecretService } from "../../src/profiles/secret-service.ts";
import {
  credentialStoreSuite,
  idOf,
  parallelWritersSuite,
} from "../contract/credential-store-suite.ts";
import { startSecretService } from "../support/secret-service.ts";
import type { SecretService } from "../support/secret-service.ts";

const uid = process.getuid?.() ?? 0;
const key = idOf("https://gw.example.com");
let home: string;
let service: SecretService;

function open(configDir = home): Keychain {
  return createKeychainStore({ configDir, sessionBus: service.address, report: () => undefined });
}

// The native binding asks the process's own environment, once: the bus is always at the same place.
const runtime = mkdtempSync(join(tmpdir(), "onedoor-bus-"));
process.env["DBUS_SESSION_BUS_ADDRESS"] = `unix:path=${join(runtime, "bus")}`;
afterAll(() => rmSync(runtime, { recursive: true, force: true }));

async function start(): Promise<void> {
  service = await startSecretService(home, runtime);
}

beforeEach(async () => {
  home = mkdtempSync(join(tmpdir(), "onedoor-keychain-"));
  await start();
});

afterEach(async () => {
  await service.stop();
  rmSync(home, { recursive: true, force: true });
});

describe("a real Secret Service", () => {
  credentialStoreSuite(() => open());
  parallelWritersSuite(() => open());

  test("is seen, with its lock", async () => {
    expect(await probeSecretService(service.address, uid)).toEqual({
      kind: "present",
      locked: false,
    });
    await service.lock();
    expect(await probeSecretService(service.address, uid)).toEqual({
      kind: "present",
      locked: true,
    });
  });

  test("two configuration folders share no secret", async () => {
    await open(join(home, "one")).set(key, "first");
    expect(await open(join(home, "two")).get(key)).toBeUndefined();
  });
});

describe("a locked keyring", () => {
  const locked = {
    code: "store_unavailable",
    message: "Keychain is locked; unlock it or use --store file",
  };

  test("is an error for what is in it, and stays whole", async () => {
    await open().set(key, "kept");
    await service.lock();
    await expect(open().get(key)).rejects.toMatchObject(locked);
    await expect(open().set(key, "other")).rejects.toMatchObject(locked);
    await expect(open().delete(key)).rejects.toMatchObject(locked);
  });

  test("is an error for what is not in it: nobody can tell", async () => {
    await service.lock();
    await expect(open().get(key)).rejects.toMatchObject(locked);
    await expect(open().delete(key)).rejects.toMatchObject(locked);
  });
});

describe("silence is an error, not a hang and not an absence", () => {
  test("of the provider", async () => {
    service.muteProvider();
    expect(await open().state()).toMatchObject({ kind: "mute" });
    await expect(open().get(key)).rejects.toMatchObject({ code: "store_unavailable" });
  });

  test("of the bus", async () => {
    service.muteBus();
    expect(await open().state()).toMatchObject({ kind: "mute" });
    await expect(open().set(key, "x")).rejects.toMatchObject({ code: "store_unavailable" });
  });

  test("of whoever holds the bus's socket", async () => {
    const path = join(home, "mute");
    const server = createServer(() => undefined).listen(path);
    await once(server, "listening");
    expect(await probeSecretService(`unix:path=${path}`, uid)).toMatchObject({ kind: "mute" });
    server.close();
  });
});

describe("absence", () => {
  test.each([undefined, "unix:path=/nonexistent/bus", "tcp:host=127.0.0.1,port=1", "autolaunch:"])(
    "bus %s",
    async (address) => {
      expect(await probeSecretService(address, uid)).toMatchObject({ kind: "absent" });
    },
  );

  test("a stopped bus leaves a socket nobody answers at", async () => {
    const { address } = service;
    await service.stop();
    expect(await probeSecretService(address, uid)).toMatchObject({ kind: "absent" });
  });
});

test("a secret survives the session", async () => {
  await open().set(key, "kept over night");
  await service.stop();
  await start();
  expect(await open().get(key)).toBe("kept over night");
});
