import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { OidcProvider } from "../fixtures/start-oidc-provider.ts";
import { runAgent, startAgent } from "./support/agent.ts";
import { catchAddress, signInAs, startChromium } from "./support/chromium.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import {
  playBrowser,
  startProtectedGateway,
  startProtectedMcpServer,
  startSignInServer,
} from "./support/oauth-servers.ts";
import type { ProtectedMcpServer } from "./support/oauth-servers.ts";

let provider: OidcProvider;
let server: ProtectedMcpServer;
let chromium: Browser;
let home: Home;
let visitor: BrowserContext;
let page: Page;
let complaints: string[];

beforeAll(async () => {
  provider = await startSignInServer();
  [server, chromium] = await Promise.all([
    startProtectedMcpServer(provider.issuer),
    startChromium(),
  ]);
});
afterAll(async () => {
  await chromium.close();
  await server.close();
  await provider.stop();
});

beforeEach(async () => {
  home = createHome();
  visitor = await chromium.newContext({ viewport: { width: 320, height: 600 } });
  page = await visitor.newPage();
  complaints = [];
  page.on("console", (message) => {
    // The authorization server's own pages complain of their own.
    if (!message.location().url.startsWith(provider.issuer)) complaints.push(message.text());
  });
  // A font of theirs is elsewhere.
  await visitor.route(/^https:/u, (route) => route.fulfill({ body: "" }));
});
afterEach(async () => {
  await visitor.close();
  home.remove();
});

const heading = (): Promise<string> => page.getByRole("heading").innerText();

function login(url = server.url, { args = [] as string[], env = {} } = {}) {
  const command = ["auth", "login", "--web", "--store", "file", "--url", url, ...args];
  return startAgent(command, { home, env });
}

/** Begins a sign-in and brings Chromium to the page where the person consents. */
async function toConsent(url?: string) {
  const catcher = catchAddress(join(home.folder, "screen"));
  const agent = login(url, { env: catcher.env });
  const [address = "", ...more] = await catcher.opened();
  expect(more).toEqual([]);
  await page.goto(address);
  await signInAs(page, "ada");
  return { agent, address };
}

describe("signing in with Chromium", () => {
  it("ends on a page of ours, with a profile that works and nothing of the code left behind", async () => {
    const { agent, address } = await toConsent();
    expect(address).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/start\/[\w-]{43}$/u);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.waitForURL(/127\.0\.0\.1:\d+\/result\/[\w-]{43}$/u);
    expect(await heading()).toBe(`Signed in at ${new URL(provider.issuer).host}`);
    const width = await page.evaluate("document.documentElement.scrollWidth");
    expect(width).toBe(320);
    expect(complaints).toEqual([]);
    // Nor in the history, where the next person at this browser would find it.
    const session = await visitor.newCDPSession(page);
    const { entries } = await session.send("Page.getNavigationHistory");
    expect(entries.at(-1)?.url).toBe(page.url());
    expect(entries.map(({ url }) => url).join(" ")).not.toContain("code=");

    const { code, stdout, stderr } = await agent.ended;
    expect(stderr).toContain(
      `Signing in to ${server.url} in the browser, at ${new URL(provider.issuer).host}`,
    );
    expect(stdout).toMatch(/^Signed in to .*, from the browser; .*, renewed by itself\n$/u);
    expect(code).toBe(0);
    const called = await runAgent(["run", "whoami", "--url", server.url], { home });
    expect(called).toMatchObject({ code: 0, stdout: expect.stringContaining("ada mcp") });
  });

  it("works for a gateway with auth oauth", async () => {
    const other = createHome();
    const gateway = await startProtectedGateway(other, provider.issuer);
    try {
      const { agent } = await toConsent(gateway.url);
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByText("Signed in at").waitFor();
      expect(await agent.ended).toMatchObject({ code: 0 });
      const whoami = await runAgent(["auth", "whoami", "--url", gateway.url], { home });
      expect(whoami).toMatchObject({ code: 0, stdout: expect.stringContaining("ada") });
    } finally {
      await gateway.stop();
      other.remove();
    }
  });

  it("says on the page and in the terminal that the person declined; nothing is saved", async () => {
    const { agent } = await toConsent();
    await page.getByText("[ Cancel ]").click();
    await page.getByText("access_denied").waitFor();
    expect(await heading()).toBe("The sign-in failed");
    const { code, stderr } = await agent.ended;
    expect(stderr).toContain("access_denied");
    expect(code).toBe(4);
    const status = await runAgent(["auth", "status", "--all", "--json"], { home });
    expect(status.code).toBe(4);
  });

  it("waits on when another page sends an answer of its own", async () => {
    const { agent, address } = await toConsent();
    const callback = new URL("/callback", address);
    const stranger = await visitor.newPage();
    callback.search = "?code=of-somebody-else&state=guessed";
    await stranger.goto(callback.href);
    await stranger.getByText("This was not expected").waitFor();
    await agent.waitFor("stderr", /does not belong to this sign-in/u);
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("Signed in at").waitFor();
    expect(await agent.ended).toMatchObject({ code: 0 });
  });
});

describe("somebody else on this machine", () => {
  it("who opens the page that the browser is started with ends the sign-in, and nothing is saved", async () => {
    const { agent, address } = await toConsent();
    const somebody = await fetch(address, { redirect: "manual" });
    expect(somebody.status).toBe(403);
    const { code, stderr } = await agent.ended;
    expect(stderr).toContain("Somebody else opened the page of this sign-in; nothing saved");
    expect(code).toBe(4);
  });

  // Only root can become another user here.
  it.runIf(process.getuid?.() === 0)(
    "who is another user is turned away from it, and the sign-in goes on",
    async () => {
      const { agent, address } = await toConsent();
      const script = `fetch(process.argv[1], { redirect: "manual" }).then(({ status }) => console.log(status))`;
      const other = ["--reuid", "65534", "--regid", "65534", "--clear-groups"];
      const { stdout } = await promisify(execFile)(
        "setpriv",
        [...other, process.execPath, "-e", script, address],
        { cwd: "/" },
      );
      expect(stdout).toBe("403\n");
      await agent.waitFor("stderr", /Another user of this machine came to this sign-in/u);
      await page.getByRole("button", { name: "Continue" }).click();
      await page.getByText("Signed in at").waitFor();
      expect(await agent.ended).toMatchObject({ code: 0 });
    },
  );
});

describe("signing in where no browser can be opened", () => {
  const noScreen = { DISPLAY: undefined, WAYLAND_DISPLAY: undefined, BROWSER: undefined };

  it("shows the address, also with --json, and a way back to this machine", async () => {
    const agent = login(server.url, { args: ["--json"], env: noScreen });
    const [address] = await agent.waitFor("stderr", /^http\S+$/mu);
    await agent.waitFor("stderr", /ssh -L/u);
    await page.goto(address);
    await signInAs(page, "ada");
    await page.getByRole("button", { name: "Continue" }).click();
    await page.getByText("Signed in at").waitFor();
    expect(await agent.ended).toMatchObject({ code: 0 });
  });

  it("shows it too when the program for it fails", async () => {
    const agent = login(server.url, { env: { BROWSER: "no-such-browser" } });
    await agent.waitFor("stderr", /^http\S+code_challenge=\S+$/mu);
    await agent.waitFor("stderr", /ssh -L/u);
    agent.process.kill("SIGINT");
    const { code, stderr } = await agent.ended;
    expect(stderr.match(/code_challenge=/gu)).toHaveLength(1);
    expect(code).toBe(130);
  });

  it("signs in on another device", async () => {
    const command = ["auth", "login", "--device", "--store", "file", "--url", server.url];
    const agent = startAgent(command, { home, env: noScreen });
    const [, userCode = ""] = await agent.waitFor("stderr", /^ {2}([A-Z]{4}-[A-Z]{4})$/mu);
    await playBrowser(`${provider.issuer}/device`, { userCode });
    const { code, stdout } = await agent.ended;
    expect(stdout).toMatch(/^Signed in to .*, from a device code; .*, renewed by itself\n$/u);
    expect(code).toBe(0);
    const called = await runAgent(["run", "whoami", "--url", server.url], { home });
    expect(called).toMatchObject({ code: 0, stdout: expect.stringContaining("ada mcp") });
  });
});
