import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { generateKeyPairSync } from "node:crypto";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { playBrowser } from "../../../fixtures/play-browser.mjs";
import type { OidcProvider } from "../../../fixtures/start-oidc-provider.ts";
import { clients, startSignInServer } from "../../../e2e/support/oauth-servers.ts";
import { oauthDependencies } from "../../../../src/cli/sign-in/oauth-dependencies.ts";
import { signInByClientCredentials } from "../../../../src/cli/sign-in/web/sign-in-by-client-credentials.ts";
import { signInByDevice } from "../../../../src/cli/sign-in/web/sign-in-by-device.ts";
import type { OAuthClient, SignInTarget } from "../../../../src/oauth/oauth.ts";
import { Terminal } from "./support/terminal.ts";
import { targetOf } from "./support/target-of.ts";

const serverUrl = "https://mcp.example/team/mcp";
const login = `agent auth login --url ${serverUrl} --profile work`;
const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
let provider: OidcProvider;

beforeAll(async () => {
  provider = await startSignInServer({
    clients: [
      {
        id: "robot-with-key",
        metadata: {
          token_endpoint_auth_method: "private_key_jwt",
          jwks: { keys: [{ ...publicKey.export({ format: "jwk" }), alg: "ES256", use: "sig" }] },
        },
      },
    ],
  });
});
afterAll(() => provider.stop());

/** Asks whether the person has decided when they have, in place of every five seconds. */
function byDevice(terminal: Terminal, changes: Partial<SignInTarget["server"]> = {}) {
  const { context } = terminal;
  const target = targetOf(provider.issuer);
  let decide: (() => void) | undefined;
  const decided = new Promise<void>((resolve) => {
    decide = resolve;
  });
  const done = signInByDevice(
    { ...target, server: { ...target.server, ...changes } },
    { serverUrl, login },
    context,
    { ...oauthDependencies(context), wait: () => decided },
  );
  done.catch(() => undefined);
  return { done, decide: () => decide?.() };
}

describe("signing in on another device", () => {
  it("shows address and code, even with --quiet, and waits until the person has typed it", async () => {
    const terminal = new Terminal({ quiet: true });
    const { done, decide } = byDevice(terminal);
    const userCode = await terminal.waitFor(/^ {2}[A-Z]{4}-[A-Z]{4}$/u, done);
    expect(terminal.notes.slice(0, 4)).toEqual([
      `To sign in to ${serverUrl}, open this address in a browser, on any device:`,
      `  ${provider.issuer}/device`,
      "and type this code there:",
      `  ${userCode}`,
    ]);
    await terminal.waitFor(new RegExp(`^The same with the code in it: .*${userCode}`, "u"), done);
    await playBrowser(`${provider.issuer}/device`, { userCode });
    decide();
    expect((await done).grant).toMatchObject({ type: "device_code", issuer: provider.issuer });
  });

  it("names whom the code is for where that is not the host that it is typed at", async () => {
    const terminal = new Terminal();
    const { host } = new URL(provider.issuer);
    const tokenEndpoint = "http://127.0.0.1:1/token";
    const { done } = byDevice(terminal, { tokenEndpoint });
    const said = `To sign in to ${serverUrl} at ${host}, for 127.0.0.1:1, open this address`;
    expect(await terminal.waitFor(/^To sign in/u, done)).toContain(said);
    terminal.interrupt();
    await expect(done).rejects.toThrow("interrupted");
  });

  it("says that the person declined", async () => {
    const terminal = new Terminal();
    const { done, decide } = byDevice(terminal);
    const userCode = await terminal.waitFor(/^ {2}[A-Z]{4}-[A-Z]{4}$/u, done);
    // The page asks for a code again and again then.
    await playBrowser(`${provider.issuer}/device`, { userCode, declines: true }).catch(() => {});
    decide();
    await expect(done).rejects.toMatchObject({ code: "auth_rejected" });
  });

  it("ends with Ctrl-C", async () => {
    const terminal = new Terminal();
    const { done } = byDevice(terminal);
    await terminal.waitFor(/type this code/u, done);
    terminal.interrupt();
    await expect(done).rejects.toThrow("interrupted");
  });

  it("names the browser where the server has no device flow", async () => {
    const { done } = byDevice(new Terminal(), { deviceAuthorizationEndpoint: undefined });
    await expect(done).rejects.toMatchObject({
      code: "usage",
      hint: `${login} --web`,
    });
  });
});

const asProgram = (terminal: Terminal, given: OAuthClient) =>
  signInByClientCredentials(
    targetOf(provider.issuer),
    { serverUrl, login, given },
    terminal.context,
    oauthDependencies(terminal.context),
  );

const pem = (): string => privateKey.export({ format: "pem", type: "pkcs8" }).toString();
const withKey = (file: string): OAuthClient => ({
  id: "robot-with-key",
  authentication: "private_key_jwt",
  keyFile: file,
});

describe("signing in as a program", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "onedoor-key-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  function keyFile(content: string, mode = 0o600): string {
    const file = join(folder, "key.pem");
    writeFileSync(file, content);
    chmodSync(file, mode);
    return file;
  }

  it("takes its secret", async () => {
    const terminal = new Terminal();
    const granted = await asProgram(terminal, {
      ...clients.robot,
      authentication: "client_secret_basic",
    });
    expect(granted.grant).toMatchObject({ type: "client_credentials", issuer: provider.issuer });
    expect(terminal.notes).toEqual([
      `Signing in to ${serverUrl} as a program, at ${new URL(provider.issuer).host}`,
    ]);
  });

  it("takes a private key, and says when others could", async () => {
    const closed = new Terminal();
    expect((await asProgram(closed, withKey(keyFile(pem())))).accessToken).toMatch(/^eyJ/u);
    expect(closed.notes.join("\n")).not.toContain("chmod");
    const open = new Terminal();
    const file = keyFile(pem(), 0o644);
    await asProgram(open, withKey(file));
    expect(open.notes).toContain(
      `Others can read or change the private key in ${file}: chmod 600 closes it`,
    );
  });

  it.each([
    ["is not there", "", undefined],
    ["is no key", "no key at all", 0o600],
    ["is far too long", "x".repeat(70_000), 0o600],
  ])("refuses a key file that %s", async (_name, content, mode) => {
    const file = mode === undefined ? join(folder, "missing") : keyFile(content, mode);
    await expect(asProgram(new Terminal(), withKey(file))).rejects.toMatchObject({ code: "usage" });
  });

  it("is refused with another secret, which nobody sees", async () => {
    const secret = "another-secret-altogether";
    await expect(
      asProgram(new Terminal(), {
        ...clients.robot,
        authentication: "client_secret_basic",
        secret,
      }),
    ).rejects.toMatchObject({
      code: "auth_rejected",
      message: expect.not.stringContaining(secret),
    });
  });
});
