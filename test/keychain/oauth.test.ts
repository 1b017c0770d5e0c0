import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { decodeCredential, secretsOf } from "../../src/profiles/credential-text.ts";
import { createKeychainStore } from "../../src/profiles/keychain-store.ts";
import type { StoredCredential } from "../../src/profiles/stored-credential.ts";
import { SecretHunt } from "../e2e/secrets-nowhere/secret-hunt.ts";
import { runAgent } from "../e2e/support/agent.ts";
import type { AgentResult } from "../e2e/support/agent.ts";
import { createHome } from "../e2e/support/home.ts";
import type { Home } from "../e2e/support/home.ts";
import {
  browserProgram,
  startProtectedMcpServer,
  startSignInServer,
} from "../e2e/support/oauth-servers.ts";
import type { ProtectedMcpServer } from "../e2e/support/oauth-servers.ts";
import type { OidcProvider } from "../fixtures/start-oidc-provider.ts";
import { startSecretService } from "../support/secret-service.ts";
import type { SecretService } from "../support/secret-service.ts";

// The native binding asks the process's own environment, once: the bus is always at the same place.
const runtime = mkdtempSync(join(tmpdir(), "onedoor-bus-"));
process.env["DBUS_SESSION_BUS_ADDRESS"] = `unix:path=${join(runtime, "bus")}`;
let provider: OidcProvider;
let server: ProtectedMcpServer;
beforeAll(async () => {
  provider = await startSignInServer();
  server = await startProtectedMcpServer(provider.issuer);
});
afterAll(async () => {
  await server.close();
  await provider.stop();
  rmSync(runtime, { recursive: true, force: true });
});

let home: Home;
let service: SecretService;
let outputs: string;
beforeEach(async () => {
  home = createHome();
  service = await startSecretService(home.folder, runtime);
  outputs = "";
});
afterEach(async () => {
  await service.stop();
  home.remove();
});

async function agent(args: string, env: Readonly<Record<string, string>> = {}) {
  const result: AgentResult = await runAgent([...args.split(" "), "--url", server.url], {
    home,
    env: { ...env, DBUS_SESSION_BUS_ADDRESS: service.address },
  });
  outputs += result.stdout + result.stderr;
  return result;
}

const filesIn = (name: string): string[] => readdirSync(join(home.configDir, name));

/** What the keychain holds for the only profile there is. */
async function inKeychain(id: string): Promise<StoredCredential | undefined> {
  const { configDir } = home;
  const sessionBus = service.address;
  const keychain = createKeychainStore({ configDir, sessionBus, report: () => undefined });
  return decodeCredential((await keychain.get(id)) ?? "")?.credential;
}

test("an OAuth sign-in lives in the keychain and nowhere else, through refresh and logout", async () => {
  const { env } = browserProgram(home.folder);
  const signedIn = await agent("auth login --web", env);
  expect([signedIn.code, signedIn.stderr]).toEqual([0, signedIn.stderr]);
  expect(signedIn.stdout).toContain("saved in the system keychain");
  const [id = ""] = filesIn("keychain");
  const first = await inKeychain(id);

  expect(await agent("run whoami")).toMatchObject({ code: 0 });
  expect(server.shown.at(-1)?.token).toBe(first?.token);
  const before = await provider.counts();
  expect(await agent("auth refresh")).toMatchObject({ code: 0 });
  expect((await provider.counts())["refresh_token"]).toBe((before["refresh_token"] ?? 0) + 1);
  const second = await inKeychain(id);
  expect(await agent("run whoami")).toMatchObject({ code: 0 });
  expect(server.shown.at(-1)?.token).toBe(second?.token);
  expect(await agent("auth status --json")).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/"store": ?"keychain"/u),
  });

  const secrets = [first, second].flatMap((kept) => (kept ? secretsOf(kept) : []));
  // An access token and a refresh token before and after.
  expect(new Set(secrets).size).toBe(4);
  const hunt = new SecretHunt();
  for (const [index, secret] of secrets.entries()) hunt.add(`secret ${index}`, secret);
  const hunted = (): string[] =>
    hunt.findIn([
      { place: "output", text: Buffer.from(outputs) },
      // The key ring's own file among them: it is encrypted.
      ...readdirSync(home.folder, { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map(({ parentPath, name }) => join(parentPath, name))
        .map((path) => ({ place: path, text: readFileSync(path) })),
    ]);
  expect(hunted()).toEqual([]);

  expect(await agent("auth logout")).toMatchObject({ code: 0 });
  // The refresh token: access tokens are JWTs, which this server cannot take back.
  expect((await provider.counts())["revocation"]).toBeGreaterThan(before["revocation"] ?? 0);
  expect(await inKeychain(id)).toBeUndefined();
  expect([filesIn("keychain"), filesIn("profiles")]).toEqual([[], []]);
  expect(hunted()).toEqual([]);
});

test("a locked keychain is found before anybody signs in", async () => {
  await service.lock();
  const before = await provider.counts();
  const browser = browserProgram(home.folder);
  expect(await agent("auth login --web", browser.env)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining(`agent auth login --url ${new URL(server.url).origin}`),
  });
  expect(browser.visits()).toEqual([]);
  expect(await provider.counts()).toEqual(before);
});
