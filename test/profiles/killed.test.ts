import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Server } from "node:http";
import { once } from "node:events";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { profileId } from "../../src/profiles/profile-id.ts";
import { configDir, draft, folder, open, reports, save } from "./bench.ts";
import { buildRingProgram, startRingProcess } from "./support/ring-process.ts";
import { expectWhole } from "./support/storm.ts";

let place: string;
let program: string;
beforeAll(async () => {
  place = mkdtempSync(join(tmpdir(), "onedoor-killed-"));
  program = await buildRingProgram(place);
});
afterAll(() => rmSync(place, { recursive: true, force: true }));

const url = "https://gw.example.com";
const id = profileId(draft(url));

async function runAndDie(die: "before-secret" | "after-secret", token: string): Promise<void> {
  const job = { kind: "save", url, token, die } as const;
  const { signal } = await startRingProcess(program, { configDir, store: "file", job }).ended;
  expect(signal).toBe("SIGKILL");
}

describe("a process that is killed while it signs in", () => {
  test("before the secret is written leaves nothing", async () => {
    await runAndDie("before-secret", "od_never");
    expect(await open().list()).toEqual([]);
    expect(await open().removeOrphans()).toBe(0);
    expect(readdirSync(folder())).toEqual([]);
  });

  test("before the profile is written leaves a secret that logout --all finds", async () => {
    await save(open(), draft("https://other.example.com"));
    await runAndDie("after-secret", "od_orphan");
    expect(readdirSync(join(configDir, "secrets"))).toContain(id);
    expect(await open().list()).toHaveLength(1);
    expect(await open().removeOrphans()).toBe(1);
    expect(readdirSync(join(configDir, "secrets"))).toEqual([
      profileId(draft("https://other.example.com")),
    ]);
    expect(await open().removeOrphans()).toBe(0);
    expect(readdirSync(folder())).toHaveLength(1);
  });

  test("holds up nobody: its lock is taken over", async () => {
    await runAndDie("after-secret", "od_orphan");
    expect(readdirSync(folder())).toContain(`${id}.lock`);
    await save(open(), draft(url, "default", { tokenId: "secret" }));
    const [profile] = await open().list();
    expect(profile && (await open().credentialOf(profile))).toEqual({ token: "od_secret" });
    expect(readdirSync(folder())).toEqual([`${id}.json`]);
    await expectWhole(open(), configDir);
  });

  test("leaves no draft that logout, or logout --all, does not take away", async () => {
    const secrets = join(configDir, "secrets");
    const leave = (): void => {
      writeFileSync(join(secrets, `.${id}.0123456789abcdef.draft`), "od_draft", { mode: 0o600 });
      writeFileSync(join(folder(), `${id}.json.tmp-1234567890abcdef`), "{", { mode: 0o600 });
      writeFileSync(join(folder(), `${id}.lock.breaking`), "1 00", { mode: 0o600 });
    };
    await save(open(), draft(url));
    leave();
    await open().remove(draft(url));
    expect(readdirSync(secrets)).toEqual([]);
    leave();
    expect(await open().removeOrphans()).toBe(1);
    expect(readdirSync(secrets)).toEqual([]);
    expect(readdirSync(folder())).toEqual([]);
  });
});

test("logout --all takes away the metadata of a secret that was lost, and what was set aside", async () => {
  await save(open(), draft(url));
  rmSync(join(configDir, "secrets", id));
  const [profile] = await open().list();
  expect(profile && (await open().credentialOf(profile))).toBeUndefined();
  // A folder in a profile's place is set aside as well; it may hold anything, and stays.
  const strange = profileId(draft("https://strange.example.com"));
  mkdirSync(join(folder(), `${strange}.json`, "something"), { recursive: true });
  expect(await open().list()).toHaveLength(1);
  expect(await open().remove(draft(url))).toBe(true);
  expect(await open().removeOrphans()).toBe(0);
  expect(readdirSync(folder())).toEqual([
    expect.stringMatching(new RegExp(`^${strange}\\.json\\.corrupt-`, "u")),
  ]);
});

describe("renewing", () => {
  /** An authorization server in small: its refresh tokens are good once. */
  let server: Server;
  let address: string;
  let good: string;
  let asked: string[];
  beforeEach(async () => {
    good = "refresh_0";
    asked = [];
    server = createServer((request, response) => {
      void (async () => {
        const shown = (await request.toArray()).join("");
        asked.push(shown);
        if (shown !== good) {
          response.writeHead(400).end("invalid_grant");
          return;
        }
        good = `refresh_${asked.length}`;
        response.end(`od_access_${asked.length} ${good}`);
      })();
    }).listen(0, "127.0.0.1");
    await once(server, "listening");
    const at = server.address();
    address = `http://127.0.0.1:${typeof at === "object" ? at?.port : ""}/`;
    const profiles = open();
    const { store } = await profiles.storeFor(draft(url), "file");
    await profiles.save(
      draft(url, "default", { expiresAtMs: 5 }),
      { token: "od_access_0", session: { refreshToken: good } },
      store,
    );
  });
  afterEach(() => server.close());

  function renew(die?: "answered", wrap: string[] = []) {
    const job = { kind: "renew", url, authorization: address, ...(die && { die }) } as const;
    return startRingProcess(program, { configDir, store: "file", job }, wrap).ended;
  }

  test("20 processes at once use one refresh token once", async () => {
    const ended = await Promise.all(Array.from({ length: 20 }, () => renew()));
    expect(asked).toEqual(["refresh_0"]);
    expect(ended.flatMap(({ outcome }) => outcome?.errors)).toEqual([]);
    expect(new Set(ended.map(({ outcome }) => outcome?.token))).toEqual(new Set(["od_access_1"]));
    const [profile] = await open().list();
    expect(profile && (await open().credentialOf(profile))).toEqual({
      token: "od_access_1",
      session: { refreshToken: "refresh_1" },
    });
    expect(readdirSync(folder())).toEqual([`${id}.json`]);
  });

  test("that is killed with the answer in its hands loses that answer, and nothing else", async () => {
    expect((await renew("answered")).signal).toBe("SIGKILL");
    // With the room it had made for it.
    expect(readdirSync(join(configDir, "secrets"))).toHaveLength(2);
    const [profile] = await open().list();
    expect(profile).toMatchObject({ expiresAtMs: 5, renews: true });
    expect(profile && (await open().credentialOf(profile))).toEqual({
      token: "od_access_0",
      session: { refreshToken: "refresh_0" },
    });
    // The next one is not held up, and hears from the server what became of its refresh token.
    const { outcome } = await renew();
    expect(outcome?.errors).toEqual(["Error: invalid_grant"]);
    expect(asked).toEqual(["refresh_0", "refresh_0"]);
    expect(readdirSync(folder())).toEqual([`${id}.json`]);
    expect(readdirSync(join(configDir, "secrets"))).toEqual([id]);
    expect(reports).toEqual([]);
  });

  // As on a disk that is full, or has room for what is there and for nothing longer. The lock needs no room.
  test.each([0, 8192])(
    "that can write no more than %i bytes asks no server first",
    async (bytes) => {
      const { outcome } = await renew(undefined, ["prlimit", `--fsize=${bytes}`]);
      expect(outcome?.errors).toEqual([
        expect.stringMatching(/Cannot write .*secrets.*\(EFBIG\)/u),
      ]);
      expect(asked).toEqual([]);
      expect((await renew()).outcome).toMatchObject({ errors: [], token: "od_access_1" });
    },
  );
});
