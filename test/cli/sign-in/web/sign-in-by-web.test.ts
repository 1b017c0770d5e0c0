import { once } from "node:events";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";
import { playBrowser } from "../../../fixtures/play-browser.mjs";
import type { OidcProvider } from "../../../fixtures/start-oidc-provider.ts";
import { browserProgram, startSignInServer } from "../../../e2e/support/oauth-servers.ts";
import { signInByWeb } from "../../../../src/cli/sign-in/web/sign-in-by-web.ts";
import { sayPlace, signInPlace } from "../../../../src/cli/sign-in/web/sign-in-place.ts";
import { oauthDependencies } from "../../../../src/cli/sign-in/oauth-dependencies.ts";
import type { WebChoice } from "../../../../src/cli/sign-in/ways-in.ts";
import type { OAuthClient } from "../../../../src/oauth/oauth.ts";
import { Terminal } from "./support/terminal.ts";
import { targetOf } from "./support/target-of.ts";

const serverUrl = "https://mcp.example/team/mcp";
const login = `agent auth login --url ${serverUrl} --profile work`;
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
    { serverUrl, login, ask: false, ...choice },
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
    const { port } = callbackOf(url, {});
    expect(terminal.notes.slice(1)).toEqual([
      "No browser could be opened here. Open this address in one to sign in:",
      url,
      "On another machine, let the way back through first:",
      `  ssh -L ${port}:127.0.0.1:${port} <this machine>`,
      "or sign in with --device, which needs no way back",
    ]);
    expect(terminal.spinners).toEqual([`Waiting until you have signed in at ${host}`]);
    const visit = await playBrowser(url);
    expect(visit.body).toContain(`<title>Signed in at ${host} –`);
    expect(visit.body).toContain(">mcp<wbr>.example</strong></p>");
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
    expect(terminal.notes).toHaveLength(5);
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

describe("a browser that is started", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "onedoor-browser-"));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true, force: true });
  });

  it("is told nothing that another user could use, and brings the answer by its cookie", async () => {
    const browser = browserProgram(folder);
    const terminal = new Terminal({ variables: browser.env });
    expect((await begin(terminal)).accessToken).toMatch(/^eyJ/u);
    expect(terminal.notes.slice(1)).toEqual([
      expect.stringMatching(/^If no browser opens: http:\/\/127\.0\.0\.1:\d+\/start\/[\w-]{43}$/u),
    ]);
    const [first = "", second = ""] = browser.visits();
    expect(terminal.notes[1]).toContain(first);
    expect(second).toContain(`${provider.issuer}/auth?`);
  });

  it("ends it when somebody else was quicker at the start page; nothing of theirs is taken", async () => {
    const terminal = new Terminal({ variables: { BROWSER: "/bin/true" } });
    const done = begin(terminal);
    const note = await terminal.waitFor(/^If no browser opens/u, done);
    const start = note.split(" ").at(-1) ?? "";
    const theirs = await fetch(start, { redirect: "manual" });
    expect(theirs.status).toBe(303);
    await playBrowser(start);
    await expect(done).rejects.toMatchObject({
      code: "auth_rejected",
      message: "Somebody else opened the page of this sign-in",
    });
  });

  it("shows the address once, with a cookie no more, when it fails before it has opened anything", async () => {
    const terminal = new Terminal({ variables: { BROWSER: "/bin/false" } });
    const done = begin(terminal);
    await terminal.waitFor(/or sign in with --device/u, done);
    const shown = terminal.notes.filter((line) => line.includes("code_challenge="));
    expect(shown).toHaveLength(1);
    await playBrowser(shown[0] ?? "");
    expect((await done).accessToken).toMatch(/^eyJ/u);
  });

  it("may fail when it has opened the page", async () => {
    const browser = browserProgram(folder);
    const fails = join(folder, "fails");
    writeFileSync(fails, `#!/bin/sh\n'${join(folder, "xdg-open")}' "$@"; exit 1\n`);
    chmodSync(fails, 0o755);
    const terminal = new Terminal({ variables: { ...browser.env, BROWSER: fails } });
    await begin(terminal);
    expect(terminal.notes).toHaveLength(2);
  });
});

describe("an authorization server at several hosts", () => {
  it("is named by all of them, before the person goes there", async () => {
    const { context, notes } = new Terminal({ typed: "n\n" });
    const target = targetOf("https://evil.example");
    const authorizationEndpoint = "https://good.example/auth";
    const mixed = { ...target, server: { ...target.server, authorizationEndpoint } };
    const choice = { serverUrl, login, ask: true };
    await expect(
      signInByWeb(mixed, choice, context, oauthDependencies(context)),
    ).rejects.toMatchObject({ code: "auth_required" });
    expect(notes[0]).toBe(
      `Sign in to ${serverUrl} in the browser, at good.example, for evil.example? [Y/n]`,
    );
  });

  it.each([
    ["https://a.example", "https://a.example/token", "a.example"],
    ["https://b.example", "https://b.example/token", "a.example, for b.example"],
    ["https://b.example", "https://c.example/token", "a.example, for b.example and c.example"],
    ["https://a.example:444", "https://a.example/token", "a.example, for a.example:444"],
  ])("is said so: %s, %s", (issuer, tokenEndpoint, said) => {
    expect(sayPlace(signInPlace("https://a.example/auth", { issuer, tokenEndpoint }))).toBe(said);
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
    expect(html).toContain(
      `You, or ${host}, declined the sign-in.<br><small>access_denied</small>`,
    );
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
    const choice = { serverUrl, login, ask: false };
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
        hint: `${login} --web`,
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
