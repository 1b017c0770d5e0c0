import { once } from "node:events";
import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { playBrowser } from "../../../fixtures/play-browser.mjs";
import type { OidcProvider } from "../../../fixtures/start-oidc-provider.ts";
import { startSignInServer } from "../../../e2e/support/oauth-servers.ts";
import { signInByWeb } from "../../../../src/cli/sign-in/web/sign-in-by-web.ts";
import { oauthDependencies } from "../../../../src/cli/sign-in/oauth-dependencies.ts";
import type { WebChoice } from "../../../../src/cli/sign-in/ways-in.ts";
import type { OAuthClient } from "../../../../src/oauth/oauth.ts";
import { Terminal } from "./support/terminal.ts";
import { targetOf } from "./support/target-of.ts";

const serverUrl = "https://mcp.example/team/mcp";
let provider: OidcProvider;
let host: string;

beforeAll(async () => {
  provider = await startSignInServer();
  ({ host } = new URL(provider.issuer));
});
afterAll(() => provider.stop());

function begin(terminal: Terminal, choice: Partial<WebChoice> = {}) {
  const { context } = terminal;
  const target = targetOf(provider.issuer);
  const done = signInByWeb(
    target,
    { serverUrl, ask: false, ...choice },
    context,
    oauthDependencies(context),
  );
  done.catch(() => undefined);
  return done;
}

/** The authorization URL, as the terminal shows it where there is no browser. */
const shownUrl = (terminal: Terminal, done: Promise<unknown>): Promise<string> =>
  terminal.waitFor(/^http\S+$/u, done);

/** Where the browser comes back to, with another query. */
function callbackOf(authorizationUrl: string, query: Record<string, string>): URL {
  const { searchParams } = new URL(authorizationUrl);
  const callback = new URL(searchParams.get("redirect_uri") ?? "");
  for (const [name, value] of Object.entries(query)) callback.searchParams.set(name, value);
  return callback;
}

const stateOf = (url: string): string => new URL(url).searchParams.get("state") ?? "";

/** With which client a sign-in goes to the browser. */
async function clientOf(choice: Partial<WebChoice>): Promise<string | null> {
  const terminal = new Terminal();
  const done = begin(terminal, choice);
  const url = await shownUrl(terminal, done);
  terminal.interrupt();
  await expect(done).rejects.toThrow("interrupted");
  return new URL(url).searchParams.get("client_id");
}

const native: OAuthClient = { id: "native", authentication: "none" };
const keptClient = (client: OAuthClient): Partial<WebChoice> => ({
  kept: { issuer: provider.issuer, client },
});

describe("signing in through a browser", () => {
  it("names server and host, and ends on a page and with a token", async () => {
    const terminal = new Terminal();
    const done = begin(terminal);
    const url = await shownUrl(terminal, done);
    expect(terminal.notes[0]).toBe(
      `Signing in to https://mcp.example/team/mcp in the browser, at ${host}`,
    );
    expect(terminal.notes.join("\n")).toMatch(/ssh -L (\d+):127\.0\.0\.1:\1 .*--device/u);
    expect(terminal.spinners).toEqual([`Waiting until you have signed in at ${host}`]);
    const visit = await playBrowser(url);
    expect(visit.body).toContain("You are signed in");
    expect(visit.body).toContain(host);
    const granted = await done;
    expect(granted.grant).toMatchObject({ issuer: provider.issuer, type: "authorization_code" });
    expect(granted.grant.client).toMatchObject({ registered: true });
    expect(granted.accessToken).toMatch(/^eyJ/u);
    expect(terminal.spinners).toEqual([]);
    // Whoever looks at what was said, or at the page, sees no secret.
    expect(terminal.secrets.mask(granted.accessToken)).toBe("****");
    await expect(fetch(callbackOf(url, {}))).rejects.toThrow("fetch failed");
  });

  it("says with --quiet what cannot be done without", async () => {
    const terminal = new Terminal({ quiet: true });
    const done = begin(terminal);
    await playBrowser(await shownUrl(terminal, done));
    await done;
    expect(terminal.notes).toHaveLength(3);
  });

  it("takes a given client, and one that was kept, but none that an earlier sign-in registered", async () => {
    expect(await clientOf({ given: native })).toBe("native");
    expect(await clientOf(keptClient(native))).toBe("native");
    expect(await clientOf(keptClient({ ...native, registered: true }))).not.toBe("native");
  });

  it("takes the port that was asked for, and begins nothing when somebody else has it", async () => {
    const other = createServer().listen(0, "127.0.0.1");
    await once(other, "listening");
    const address = other.address();
    const callbackPort = typeof address === "object" && address !== null ? address.port : 0;
    const terminal = new Terminal();
    await expect(begin(terminal, { callbackPort })).rejects.toMatchObject({ code: "usage" });
    other.close();
    await once(other, "close");
    const again = new Terminal();
    const done = begin(again, { callbackPort });
    const { searchParams } = new URL(await shownUrl(again, done));
    expect(searchParams.get("redirect_uri")).toBe(`http://127.0.0.1:${callbackPort}/callback`);
    again.interrupt();
    await expect(done).rejects.toThrow("interrupted");
  });
});

describe("a person who was not asked for the browser", () => {
  it.each(["\n", "y\n", "YES\n", " Yes \r\n"])("goes there with %j", async (typed) => {
    const terminal = new Terminal({ typed });
    const done = begin(terminal, { ask: true });
    await shownUrl(terminal, done);
    expect(terminal.notes[0]).toBe(
      `Sign in to https://mcp.example/team/mcp in the browser, at ${host}? [Y/n]`,
    );
    terminal.interrupt();
    await expect(done).rejects.toThrow("interrupted");
  });

  it.each(["n\n", "no\n", "what?\n", ""])("does not with %j", async (typed) => {
    const terminal = new Terminal({ typed });
    await expect(begin(terminal, { ask: true })).rejects.toMatchObject({ code: "auth_required" });
    expect(terminal.notes).toHaveLength(1);
  });
});

describe("an answer that is not what it should be", () => {
  it("with another state is turned away, and the true one still counts", async () => {
    const terminal = new Terminal();
    const done = begin(terminal);
    const url = await shownUrl(terminal, done);
    const page = await fetch(callbackOf(url, { state: "guessed", code: "stolen" }));
    expect(page.status).toBe(400);
    await terminal.waitFor(/does not belong to this sign-in/u, done);
    await playBrowser(url);
    expect((await done).accessToken).toMatch(/^eyJ/u);
  });

  it("with the true state and another issuer ends it (RFC 9207)", async () => {
    const terminal = new Terminal();
    const done = begin(terminal);
    const url = await shownUrl(terminal, done);
    const query = { state: stateOf(url), code: "any", iss: "https://evil.example" };
    const page = await fetch(callbackOf(url, query));
    expect(await page.text()).toContain("The sign-in failed");
    await expect(done).rejects.toMatchObject({ code: "auth_rejected" });
  });

  it("says what the person, or the server, did not allow, as text", async () => {
    const terminal = new Terminal();
    const done = begin(terminal);
    const url = await shownUrl(terminal, done);
    const error = { error: "access_denied", error_description: "<b>No\u001b[31m</b>" };
    const page = await fetch(
      callbackOf(url, { state: stateOf(url), iss: provider.issuer, ...error }),
    );
    const html = await page.text();
    expect(html).toContain("access_denied");
    expect(html).not.toContain("<b>");
    await expect(done).rejects.toMatchObject({
      code: "auth_rejected",
      message: expect.stringContaining("access_denied"),
    });
  });

  it("is refused when it comes from real pages where the person declined", async () => {
    const terminal = new Terminal();
    const done = begin(terminal);
    const visit = await playBrowser(await shownUrl(terminal, done), { declines: true });
    expect(visit.body).toContain("The sign-in failed");
    await expect(done).rejects.toMatchObject({ code: "auth_rejected" });
  });

  it("is not waited for at an address that is no place to sign in", async () => {
    const { context } = new Terminal();
    const target = targetOf(provider.issuer);
    const authorizationEndpoint = "http://login.example/auth";
    const lying = { ...target, server: { ...target.server, authorizationEndpoint } };
    const choice = { serverUrl, ask: false };
    await expect(
      signInByWeb(lying, choice, context, oauthDependencies(context)),
    ).rejects.toMatchObject({ code: "auth_rejected" });
  });
});

describe("a person who takes their time", () => {
  it("has five minutes, whatever the deadline is", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const terminal = new Terminal({ timeoutMs: 5000 });
      const done = begin(terminal);
      const url = await shownUrl(terminal, done);
      await fetch(callbackOf(url, { state: "guessed" }));
      await vi.advanceTimersByTimeAsync(299_000);
      expect(terminal.spinners).toHaveLength(1);
      await vi.advanceTimersByTimeAsync(1000);
      await expect(done).rejects.toMatchObject({
        code: "timeout",
        message: expect.stringMatching(/five minutes, only answers that do not belong/u),
        hint: "Again: agent auth login --url https://mcp.example/team/mcp --web",
      });
      await expect(fetch(callbackOf(url, {}))).rejects.toThrow("fetch failed");
    } finally {
      vi.useRealTimers();
    }
  });

  it("uses up nothing of the deadline", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    try {
      const terminal = new Terminal({ timeoutMs: 5000 });
      const done = begin(terminal);
      const url = await shownUrl(terminal, done);
      await vi.advanceTimersByTimeAsync(200_000);
      await playBrowser(url);
      expect((await done).accessToken).toMatch(/^eyJ/u);
    } finally {
      vi.useRealTimers();
    }
  });

  it("may end it with Ctrl-C, before and while the browser is open", async () => {
    const early = new Terminal();
    early.interrupt();
    await expect(begin(early)).rejects.toThrow("interrupted");
    const terminal = new Terminal();
    const done = begin(terminal);
    const url = await shownUrl(terminal, done);
    terminal.interrupt();
    await expect(done).rejects.toThrow("interrupted");
    await expect(fetch(callbackOf(url, {}))).rejects.toThrow("fetch failed");
  });
});
