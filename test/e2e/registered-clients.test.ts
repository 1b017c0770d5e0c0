import { generateKeyPairSync } from "node:crypto";
import type { KeyObject } from "node:crypto";
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { OidcClient, OidcProvider } from "../fixtures/start-oidc-provider.ts";
import { runAgent, startAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import {
  browserProgram,
  clients,
  playBrowser,
  startProtectedMcpServer,
  startSignInServer,
} from "./support/oauth-servers.ts";
import type { ProtectedMcpServer } from "./support/oauth-servers.ts";

const secret = "secret-of-the-confidential-client";
const native = {
  application_type: "native",
  grant_types: ["authorization_code", "refresh_token"],
  redirect_uris: ["http://127.0.0.1/callback"],
  response_types: ["code"],
};
const newKeys = () => generateKeyPairSync("ec", { namedCurve: "P-256" });
const [signing, registered, other] = [newKeys(), newKeys(), newKeys()];

/** Clients that show themselves by the key: a program, and one that people sign in with. */
function keyed(key: KeyObject): OidcClient[] {
  const metadata = {
    client_secret: undefined,
    token_endpoint_auth_method: "private_key_jwt",
    token_endpoint_auth_signing_alg: "ES256",
    jwks: { keys: [{ ...key.export({ format: "jwk" }), alg: "ES256", use: "sig" }] },
  };
  const program = { id: "keyed-program", claims: { sub: "keyed-program" }, metadata };
  return [program, { id: "keyed", metadata: { ...native, ...metadata } }];
}

/** An authorization server at which no client can register itself. */
function startClosedServer(key: KeyObject, port = 0): Promise<OidcProvider> {
  const jwk = signing.privateKey.export({ format: "jwk" });
  return startSignInServer({
    port,
    keys: [{ ...jwk, kid: "first", alg: "ES256", use: "sig" }],
    people: { registration: false },
    clients: [
      { id: "confidential", secret, metadata: { ...native, client_secret: secret } },
      ...keyed(key),
    ],
  });
}

let provider: OidcProvider;
let server: ProtectedMcpServer;
let home: Home;
beforeAll(async () => {
  provider = await startClosedServer(registered.publicKey);
  server = await startProtectedMcpServer(provider.issuer);
});
afterAll(async () => {
  await server.close();
  await provider.stop();
});
beforeEach(() => {
  home = createHome();
});
afterEach(() => home.remove());

function agent(line: string): Promise<AgentResult> {
  const { env } = browserProgram(join(home.folder, "browser"));
  return runAgent([...line.split(" "), "--url", server.url], { home, env });
}
const login = (line: string): Promise<AgentResult> => agent(`auth login --store file ${line}`);

/** Writes a file into the home and returns its path. */
function file(name: string, text: string | Buffer): string {
  const path = join(home.folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}
const keyFile = ({ privateKey }: { privateKey: KeyObject }): string =>
  file("key.pem", privateKey.export({ format: "pem", type: "pkcs8" }));

async function expectToWork(who: string): Promise<void> {
  const called = await agent("run whoami");
  expect(called).toMatchObject({ code: 0, stdout: expect.stringContaining(`${who} mcp`) });
  expect(await agent("auth refresh")).toMatchObject({ code: 0 });
  expect(await agent("run whoami")).toMatchObject({ code: 0, stderr: "" });
}

function expectNothingKept(): void {
  expect(existsSync(join(home.configDir, "profiles"))).toBe(false);
}

test("without a client: exit code 2, and the option that names one", async () => {
  const { code, stderr } = await login("--web");
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("--client-id") });
  expectNothingKept();
});

describe("a public client", () => {
  test("in the browser: works and is renewed", async () => {
    expect(await login(`--web --client-id ${clients.native}`)).toMatchObject({ code: 0 });
    await expectToWork("ada");
  });

  test("on another device: works and is renewed", async () => {
    const args = ["auth", "login", "--device", "--client-id", clients.native, "--store", "file"];
    const running = startAgent([...args, "--url", server.url], { home });
    const [, userCode = ""] = await running.waitFor("stderr", /^ {2}([A-Z]{4}-[A-Z]{4})$/mu);
    await playBrowser(`${provider.issuer}/device`, { userCode });
    expect(await running.ended).toMatchObject({ code: 0 });
    await expectToWork("ada");
  });

  test("that the authorization server does not know: no sign-in, nothing kept", async () => {
    const running = startAgent(
      ["auth", "login", "--device", "--client-id", "stranger", "--url", server.url],
      { home },
    );
    expect(await running.ended).toMatchObject({ code: 4 });
    expectNothingKept();
  });
});

describe("a confidential client", () => {
  test("with its secret from a file, which is needed but once", async () => {
    const path = file("secret.txt", `${secret}\n`);
    const line = `--web --client-id confidential --client-secret-file ${path}`;
    expect(await login(line)).toMatchObject({ code: 0 });
    rmSync(path);
    await expectToWork("ada");
  });

  test("with a wrong secret: exit code 4, nothing kept", async () => {
    const path = file("secret.txt", "a-wrong-secret-of-the-test");
    const { code, stderr } = await login(
      `--web --client-id confidential --client-secret-file ${path}`,
    );
    expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining("127.0.0.1") });
    expect(stderr).not.toContain("a-wrong-secret");
    expectNothingKept();
  });
});

describe.each([
  ["as a program", "--client-credentials --client-id keyed-program", "keyed-program"],
  ["in the browser", "--web --client-id keyed", "ada"],
])("a client with a key, %s", (_how, way, who) => {
  test("works and is renewed with the key, which stays in its file alone", async () => {
    const path = keyFile(registered);
    expect(await login(`${way} --client-key ${path}`)).toMatchObject({ code: 0 });
    await expectToWork(who);
    const folder = join(home.configDir, "secrets");
    const kept = readdirSync(folder).map((name) => readFileSync(join(folder, name), "utf8"));
    expect(kept.join()).toContain(path);
    expect(kept.join()).not.toContain(registered.privateKey.export({ format: "jwk" }).d);
    rmSync(path);
    const { code, stderr } = await agent("auth refresh");
    expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining("key.pem") });
    expect(await agent("run whoami")).toMatchObject({ code: 0 });
  });

  test("with a key that is not its own: exit code 4, nothing kept", async () => {
    const { code, stderr } = await login(`${way} --client-key ${keyFile(other)}`);
    expect({ code, stderr }).toEqual({ code: 4, stderr: expect.stringContaining("127.0.0.1") });
    expectNothingKept();
  });

  test("with a key that was taken away since: not renewed, and what to run", async () => {
    expect(await login(`${way} --client-key ${keyFile(registered)}`)).toMatchObject({ code: 0 });
    const { port } = provider;
    await provider.stop();
    provider = await startClosedServer(other.publicKey, port);
    const { code, stderr } = await agent("auth refresh");
    await provider.stop();
    provider = await startClosedServer(registered.publicKey, port);
    // The client is refused, not the refresh token, which a server that is new knows nothing of.
    expect(stderr).toMatch(/invalid_client/u);
    expect({ code, stderr }).toEqual({
      code: 4,
      stderr: expect.stringContaining("agent auth login"),
    });
    // What it got before is good for as long as it was.
    expect(await agent("run whoami")).toMatchObject({ code: 0 });
  });
});
