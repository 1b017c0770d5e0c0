import { chmodSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { OidcProvider } from "../fixtures/start-oidc-provider.ts";
import { mainFile, startProgram } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { startProtectedGateway, startSignInServer } from "./support/oauth-servers.ts";

let gatewayHome: Home;
let gateway: RunningGateway;
let provider: OidcProvider;
let home: Home;
beforeAll(async () => {
  gatewayHome = createHome();
  provider = await startSignInServer();
  gateway = await startProtectedGateway(gatewayHome, provider.issuer);
});
afterAll(async () => {
  await gateway.stop();
  await provider.stop();
  gatewayHome.remove();
});
beforeEach(() => {
  home = createHome();
});
afterEach(() => home.remove());

/** What is on stdin where nobody sits: `sh` opens or closes it before our program starts. */
const stdins = {
  "/dev/null": ["none", ""],
  "an empty pipe": [{ text: "" }, ""],
  "a pipe that stays open and silent": ["open", ""],
  nothing: ["none", "<&-"],
} as const;

/** Somebody who is not signed in, at a server that offers the browser: nothing here may take to that. */
const commands: readonly [args: string, code: number, says: RegExp][] = [
  ["auth login --stdin-timeout 0.5", 2, /No token for|No whole token came on stdin/u],
  ["auth login --email ann@example.com --stdin-timeout 0.5", 2, /email and password/u],
  ["auth login --local", 2, /mints no local tokens/u],
  [
    "auth login --client-credentials --client-id robot --stdin-timeout 0.5",
    2,
    /There is no client secret|No whole client secret came on stdin/u,
  ],
  ["auth status", 4, /Not signed in to/u],
  ["auth whoami", 4, /Not signed in to/u],
  ["auth token", 4, /Not signed in to/u],
  ["auth refresh", 4, /Not signed in to/u],
  ["auth switch default", 4, /profile/u],
  ["auth logout", 0, /nothing to remove/u],
  ["run open/read text=x", 4, /Not signed in to/u],
  ["inspect", 4, /Not signed in to/u],
  ["inspect open", 4, /Not signed in to/u],
  ["instructions", 4, /Not signed in to/u],
];

/** A browser that tells whether it was called, on a machine that has a screen. */
function withBrowser(): { env: Record<string, string>; opened: () => boolean } {
  const bin = join(home.folder, "bin");
  const mark = join(home.folder, "opened");
  mkdirSync(bin);
  for (const name of ["xdg-open", "firefox"]) {
    writeFileSync(join(bin, name), `#!/bin/sh\ntouch ${mark}\n`);
    chmodSync(join(bin, name), 0o755);
  }
  const path = `${bin}:${process.env["PATH"] ?? ""}`;
  return {
    env: { PATH: path, DISPLAY: ":0", BROWSER: "firefox" },
    opened: () => existsSync(mark),
  };
}

function inShell(
  args: string,
  stdin: keyof typeof stdins,
  env: Readonly<Record<string, string>>,
): Promise<AgentResult> {
  const [how, redirection] = stdins[stdin];
  const line = `exec ${process.execPath} ${mainFile} ${args} --url ${gateway.url} ${redirection}`;
  return startProgram("sh", ["-c", line], { home, env, stdin: how }).ended;
}

describe.each([
  "/dev/null",
  "an empty pipe",
  "a pipe that stays open and silent",
  "nothing",
] as const)("with %s for stdin", (stdin) => {
  test.each(commands)("%s: exit %i, nobody asked, no browser", async (args, code, says) => {
    const browser = withBrowser();
    const result = await inShell(args, stdin, browser.env);
    expect({ code: result.code, stderr: result.stderr }).toMatchObject({ code });
    expect(result.stdout + result.stderr).toMatch(says);
    expect(browser.opened()).toBe(false);
    expect(existsSync(join(home.configDir, "profiles"))).toBe(false);
  });
});
