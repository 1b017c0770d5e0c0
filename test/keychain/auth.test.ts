import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { sendJson, startFakeServer } from "../client/support/fake-server.ts";
import type { FakeServer } from "../client/support/fake-server.ts";
import { runAgent } from "../e2e/support/agent.ts";
import type { AgentResult } from "../e2e/support/agent.ts";
import { createHome } from "../e2e/support/home.ts";
import type { Home } from "../e2e/support/home.ts";
import { startSecretService } from "../support/secret-service.ts";
import type { SecretService } from "../support/secret-service.ts";

const token = "od_token_for_the_keychain_tests";
const locked = "Keychain is locked; unlock it or use --store file";
let home: Home;
let runtime: string;
let service: SecretService;
let server: FakeServer;

beforeEach(async () => {
  home = createHome();
  runtime = mkdtempSync(join(tmpdir(), "onedoor-bus-"));
  service = await startSecretService(home.folder, runtime);
  server = await startFakeServer(({ path, headers }, response) => {
    const good = headers.authorization === `Bearer ${token}`;
    const ways = [{ type: "token", description: "" }];
    if (path === "/status") sendJson(response, 200, { name: "onedoor" });
    else if (path === "/auth") sendJson(response, 200, { required: true, ways });
    else if (path === "/auth/status" && good) {
      sendJson(response, 200, { authenticated: true, user: { id: "a", name: "alice" } });
    } else if (path === "/auth/logout" && good) sendJson(response, 200, { revoked: true });
    else sendJson(response, 401, {});
  });
});
afterEach(async () => {
  await service.stop();
  await server.close();
  rmSync(runtime, { recursive: true, force: true });
  home.remove();
});

function agent(args: string, stdin?: string): Promise<AgentResult> {
  return runAgent(args.split(" "), {
    home,
    env: { DBUS_SESSION_BUS_ADDRESS: service.address },
    ...(stdin !== undefined && { stdin: { text: stdin } }),
  });
}

function login(more = ""): Promise<AgentResult> {
  return agent(`auth login --url ${server.url}${more}`, token);
}

/** Every file below the home that is not the keyring's own. */
function filesHolding(text: string): string[] {
  return readdirSync(home.folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.parentPath.includes("keyrings"))
    .map((entry) => join(entry.parentPath, entry.name))
    .filter((path) => readFileSync(path).includes(text));
}

describe("the keychain", () => {
  test("keeps the token; nothing else does", async () => {
    const signedIn = await login();
    expect(signedIn).toMatchObject({ code: 0 });
    expect(signedIn.stdout).toContain("saved in the system keychain");
    expect(filesHolding(token)).toEqual([]);
    const { stdout, code } = await agent("auth status --json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ store: "keychain", result: "ok", who: "alice" }]);
    expect((await agent("auth token")).stdout).toBe(`${token}\n`);
  });

  test("keeps it over the end of the session", async () => {
    await login();
    await service.stop();
    service = await startSecretService(home.folder, runtime);
    expect((await agent("auth token")).stdout).toBe(`${token}\n`);
  });

  test("gives it up at logout, where it is revoked as well", async () => {
    await login();
    const { code, stdout } = await agent("auth logout");
    expect({ code, stdout }).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("its token is revoked"),
    });
    await login(" --store file");
    expect(filesHolding(token)).toHaveLength(1);
  });

  test("loses also what a corrupt profile left in it, at logout --all", async () => {
    await login();
    const folder = join(home.configDir, "profiles");
    writeFileSync(join(folder, readdirSync(folder)[0] ?? ""), "{ torn");
    const gone = JSON.parse((await agent("auth logout --all --json")).stdout);
    expect(gone).toEqual({ removed: 0, orphans: 1, profiles: [] });
    expect(readdirSync(folder)).toEqual([]);
  });

  test("changed for a file and back leaves no copy", async () => {
    await login();
    await login(" --store file");
    expect(filesHolding(token)).toHaveLength(1);
    await login(" --store keychain");
    expect(filesHolding(token)).toEqual([]);
    expect((await agent("auth token")).stdout).toBe(`${token}\n`);
  });

  test("takes 20 sign-ins at once", async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => login()));
    expect(results.map(({ code }) => code)).toEqual(Array.from({ length: 20 }, () => 0));
    expect((await agent("auth token")).stdout).toBe(`${token}\n`);
  });
});

describe("a keychain that cannot be used is an error, never a plaintext copy", () => {
  test("locked: sign-in, status, token and logout say so", async () => {
    await login();
    await service.lock();
    for (const command of [`auth login --url ${server.url}`, "auth token", "auth logout"]) {
      const { code, stderr } = await agent(command, token);
      expect({ command, code, stderr }).toMatchObject({
        code: 1,
        stderr: expect.stringContaining(locked),
      });
    }
    const { code, stdout } = await agent("auth status --json");
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject([{ result: "store unavailable", reason: locked }]);
    const all = await agent("auth logout --all");
    expect(all).toMatchObject({ code: 1, stderr: expect.stringContaining(locked) });
    expect(filesHolding(token)).toEqual([]);
    expect(readdirSync(join(home.configDir, "profiles"))).toHaveLength(1);
  });

  test("locked from the start: nothing is saved, --store file is", async () => {
    await service.lock();
    const refused = await login();
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining(locked) });
    expect(refused.stderr).toContain(`agent auth login --url ${server.url} --store file\n`);
    expect(filesHolding(token)).toEqual([]);
    expect((await login(" --store file")).code).toBe(0);
    expect((await agent("auth status")).code).toBe(0);
  });

  test.each([
    ["provider", () => service.muteProvider()],
    ["bus", () => service.muteBus()],
  ])("a silent %s: an error, not a hang", async (_, mute) => {
    mute();
    expect(await login()).toMatchObject({ code: 1, stderr: expect.stringContaining(locked) });
    expect(filesHolding(token)).toEqual([]);
  });
});

test("no bus: a file, announced", async () => {
  await service.stop();
  const { code, stderr } = await login();
  expect(code).toBe(0);
  expect(stderr).toContain("No keychain here");
  expect(filesHolding(token)).toHaveLength(1);
  expect(await login(" --store keychain")).toMatchObject({
    code: 1,
    stderr: expect.stringContaining("There is no keychain here"),
  });
});
