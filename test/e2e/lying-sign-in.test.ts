import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { startLyingAuthServer } from "../fixtures/lying-auth-server.ts";
import type { Lie, LyingAuthServer } from "../fixtures/lying-auth-server.ts";
import { playBrowser } from "../fixtures/play-browser.mjs";
import { mainFile, runAgent, startAgent, startProgram } from "./support/agent.ts";
import type { AgentResult, RunningAgent } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

const earlierToken = "earlier-token-of-the-tests-0001";

let home: Home;
let server: LyingAuthServer;
beforeEach(async () => {
  home = createHome();
  server = await startLyingAuthServer();
});
afterEach(async () => {
  await server.close();
  home.remove();
});

/** Everything the key ring holds, to the byte. */
function keptFiles(): Record<string, string> {
  const names = readdirSync(home.configDir, { recursive: true, withFileTypes: true });
  return Object.fromEntries(
    names
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name))
      .map((file) => [file, readFileSync(file, "latin1")]),
  );
}

function agent(args: string, stdin?: string): Promise<AgentResult> {
  return runAgent([...args.split(" "), "--url", server.mcpUrl], {
    home,
    ...(stdin !== undefined && { stdin: { text: stdin } }),
  });
}

/** In seconds; only a server that says nothing is waited for to its end. */
function timeoutFor(lie: Lie | undefined): string {
  return lie === "silent" ? "1.5" : "30";
}

/** There is no browser to open, so the address is shown, as on a machine without a screen. */
function beginWeb(): { running: RunningAgent; address: Promise<string> } {
  const args = ["auth", "login", "--web", "--store", "file", "--timeout", timeoutFor(server.lie)];
  const running = startAgent([...args, "--url", server.mcpUrl], { home });
  const shown = running.waitFor("stderr", /^http\S+\/authorize\?\S+$/mu);
  return { running, address: shown.then(([url]) => url) };
}

function expectClear({ stdout, stderr }: AgentResult): void {
  expect(stdout).toBe("");
  for (const secret of [earlierToken, ...server.given]) expect(stderr).not.toContain(secret);
  // No line is one that the other side wrote; what a terminal would obey is below.
  expect(stderr).not.toMatch(/^error: all is well/mu);
}

describe("signing in at a server that lies leaves the earlier profile as it was", () => {
  let before: Record<string, string>;
  beforeEach(async () => {
    const kept = await agent("auth login --store file --no-verify", earlierToken);
    if (kept.code !== 0) throw new Error(kept.stderr);
    before = keptFiles();
  });
  afterEach(() => {
    if (JSON.stringify(keptFiles()) !== JSON.stringify(before)) throw new Error("it is another");
  });

  test.each<[Lie, number, RegExp]>([
    ["other-issuer", 4, /another authorization server/u],
    ["no-s256", 4, /PKCE|S256/u],
    ["other-resource", 4, /resource|another server/u],
    ["plain-endpoints", 4, /https/u],
    ["refuses-registration", 4, /regist/u],
  ])("%s: nobody is sent to a browser", async (lie, code, says) => {
    server.lie = lie;
    const { running, address } = beginWeb();
    await expect(address).rejects.toThrow("ended without");
    const result = await running.ended;
    expect(result).toMatchObject({ code });
    expect(result.stderr).toMatch(says);
    expectClear(result);
  });

  test.each<[Lie, number, RegExp]>([
    ["wrong-iss", 4, /iss/u],
    ["no-iss", 4, /iss/u],
    ["refuses", 4, /access_denied|no/u],
    ["refuses-token", 4, /127\.0\.0\.1/u],
    ["html", 4, /127\.0\.0\.1/u],
    ["not-json", 4, /127\.0\.0\.1/u],
    ["a-list", 4, /127\.0\.0\.1/u],
    ["html-500", 3, /500/u],
    ["redirects", 3, /redirect/u],
    ["silent", 3, /in time|within/u],
    ["bad-token", 4, /token/u],
    ["other-type", 4, /DPoP|type/u],
  ])("%s: said here and in the browser", async (lie, code, says) => {
    server.lie = lie;
    const { running, address } = beginWeb();
    const visit = await playBrowser(await address);
    const result = await running.ended;
    expect(result).toMatchObject({ code });
    expect(result.stderr).toMatch(says);
    expectClear(result);
    for (const secret of server.given) expect(visit.body).not.toContain(secret);
    expect(visit.body).not.toMatch(/<script/iu);
  });

  test.each<Lie>(["refuses-registration", "refuses", "refuses-token"])(
    "%s in escape codes: a terminal obeys none of them",
    async (lie) => {
      server.lie = lie;
      const words = [process.execPath, mainFile, "auth", "login", "--web", "--url", server.mcpUrl];
      // util-linux's script gives it a terminal of its own.
      const command = words.map((word) => `'${word}'`).join(" ");
      const terminal = startProgram("script", ["-qec", command, "/dev/null"], {
        home,
        env: { TERM: "dumb", NO_COLOR: "1" },
      });
      const shown = terminal.waitFor("stdout", /http\S+\/authorize\?\S+/u);
      await shown.then(([url]) => playBrowser(url)).catch(() => undefined);
      const { code, stdout } = await terminal.ended;
      expect(code).toBe(4);
      expect(stdout).toContain("owned");
      expect(stdout.replaceAll(/[\r\n\t]/gu, "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
    },
  );

  test.each<[Lie, number]>([
    ["wrong-state", 400],
    ["no-state", 400],
    ["foreign-redirect", 404],
  ])("%s: not taken; Ctrl-C ends the wait", async (lie, status) => {
    server.lie = lie;
    const { running, address } = beginWeb();
    const visit = await playBrowser(await address);
    expect(visit.status).toBe(status);
    expect(server.requests).not.toContain("POST /token");
    running.process.kill("SIGINT");
    const result = await running.ended;
    expect(result).toMatchObject({ code: 130 });
    expectClear(result);
  });
});

describe("refreshing at a server that began to lie destroys nothing", () => {
  test.each<[Lie, number]>([
    ["refuses-token", 4],
    ["html", 4],
    ["not-json", 4],
    ["a-list", 4],
    ["html-500", 3],
    ["redirects", 3],
    ["silent", 3],
    ["bad-token", 4],
    ["other-type", 4],
  ])("%s", async (lie, code) => {
    const { running, address } = beginWeb();
    await playBrowser(await address);
    expect(await running.ended).toMatchObject({ code: 0 });
    const before = keptFiles();
    server.lie = lie;
    // A renewal that has begun has five seconds more.
    const timeout = lie === "silent" ? "0.3" : timeoutFor(lie);
    const result = await agent(`auth refresh --timeout ${timeout}`);
    expect(result).toMatchObject({ code });
    expectClear(result);
    expect(result.stderr).toContain("could not be renewed");
    expect(keptFiles()).toEqual(before);
  });
});
