import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { OidcProvider } from "../fixtures/start-oidc-provider.ts";
import { runAgent, startAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import {
  browserProgram,
  clients,
  startProtectedMcpServer,
  startSignInServer,
} from "./support/oauth-servers.ts";
import type { ProtectedMcpServer } from "./support/oauth-servers.ts";
import { agentOnTerminal } from "./support/on-terminal.ts";
import { startRecordingServer } from "./support/recording-server.ts";

let provider: OidcProvider;
let server: ProtectedMcpServer;
let home: Home;
beforeAll(async () => {
  provider = await startSignInServer({ lifetimeSeconds: 3600 });
  server = await startProtectedMcpServer(provider.issuer);
});
afterAll(async () => {
  await server.close();
  await provider.stop();
});
beforeEach(() => {
  home = createHome();
});
afterEach(() => {
  home.remove();
});

const agent = (args: readonly string[], env: Record<string, string> = {}): Promise<AgentResult> =>
  runAgent([...args, "--url", server.url], { home, env });
const call = (env?: Record<string, string>): Promise<AgentResult> => agent(["run", "whoami"], env);

async function signIn(): Promise<void> {
  const { env } = browserProgram(home.folder);
  const { code, stderr } = await agent(["auth", "login", "--web", "--store", "file"], env);
  expect([code, stderr]).toEqual([0, stderr]);
}

/** How many refreshes the authorization server granted, and refused, since the last look. */
let seen: Readonly<Record<string, number>> = {};
async function refreshes(): Promise<[granted: number, refused: number]> {
  const counts = await provider.counts();
  const since = (what: string): number => (counts[what] ?? 0) - (seen[what] ?? 0);
  const news: [number, number] = [since("refresh_token"), since("refresh_token refused")];
  seen = counts;
  return news;
}
beforeEach(async () => {
  await refreshes();
});

function onlyFile(folder: string, end: string): string {
  const [name = "", ...others] = readdirSync(folder).filter((each) => each.endsWith(end));
  expect(others).toEqual([]);
  return join(folder, name);
}
const metadataFile = (): string => onlyFile(join(home.configDir, "profiles"), ".json");
const secretFile = (): string => onlyFile(join(home.configDir, "secrets"), "");

/** As if so little were left of the token's time. */
function leave(seconds: number): void {
  const metadata: unknown = JSON.parse(readFileSync(metadataFile(), "utf8"));
  const expiresAtMs = Date.now() + seconds * 1000;
  writeFileSync(metadataFile(), JSON.stringify({ ...Object(metadata), expiresAtMs }));
}

/** As if the refresh token had been used up by somebody else. */
function spoilRefreshToken(): void {
  const text = readFileSync(secretFile(), "utf8");
  const spoilt = text.replace(/("refreshToken":")[^"]*/u, "$1used-up-long-ago");
  expect(spoilt).not.toBe(text);
  writeFileSync(secretFile(), spoilt);
}

const token = (): string =>
  /"token":"([^"]+)"/u.exec(readFileSync(secretFile(), "utf8"))?.[1] ?? "";

describe("a token that renews itself", () => {
  it("is left alone with more than a minute left, and renewed before the request with less", async () => {
    await signIn();
    leave(90);
    expect(await call()).toMatchObject({ code: 0 });
    expect(await refreshes()).toEqual([0, 0]);
    const first = token();
    leave(50);
    expect(await call()).toMatchObject({ code: 0, stderr: "" });
    expect(await refreshes()).toEqual([1, 0]);
    expect(token()).not.toBe(first);
    expect(server.shown.at(-1)?.token).toBe(token());
  });

  it("is renewed once for twenty commands at once", async () => {
    await signIn();
    leave(10);
    const results = await Promise.all(Array.from({ length: 20 }, () => call()));
    expect(results.map(({ code }) => code)).toEqual(results.map(() => 0));
    expect(await refreshes()).toEqual([1, 0]);
    expect(await call()).toMatchObject({ code: 0 });
  });

  it("that cannot be renewed is used while it is good, and said so; the ring is untouched", async () => {
    await signIn();
    spoilRefreshToken();
    leave(50);
    const before = readFileSync(secretFile(), "utf8");
    const { code, stderr } = await call();
    expect(code).toBe(0);
    expect(stderr).toMatch(/could not be renewed: .*it is good until .*agent auth login --url/u);
    expect(readFileSync(secretFile(), "utf8")).toBe(before);
  });

  it("that has expired and cannot be renewed: exit code 4, and what to run", async () => {
    await signIn();
    spoilRefreshToken();
    leave(0);
    const { code, stderr } = await agent(["run", "whoami", "--json"]);
    expect(code).toBe(4);
    expect(JSON.parse(stderr)).toMatchObject({
      error: {
        code: "auth_rejected",
        message: expect.stringContaining("could not be renewed"),
        hint: expect.stringContaining("agent auth login"),
      },
    });
    expect(stderr).not.toContain(token());
    expect(await refreshes()).toEqual([0, 1]);
  });

  it("is kept when Ctrl-C comes while the answer to its refresh is on its way", async () => {
    await signIn();
    leave(0);
    const first = token();
    await provider.hold();
    const running = startAgent(["run", "whoami", "--url", server.url], { home });
    await provider.untilHeld();
    running.process.kill("SIGINT");
    await provider.release();
    expect(await running.ended).toMatchObject({ code: 130 });
    expect(token()).not.toBe(first);
    expect(await call()).toMatchObject({ code: 0 });
    expect(await refreshes()).toEqual([1, 0]);
  });

  it.each([
    ["behind", -3_600_000],
    ["ahead", 3_600_000],
  ])("by a clock that is an hour %s", async (_what, offMs) => {
    await signIn();
    const shift = fileURLToPath(new URL("refresh/shifted-clock.mjs", import.meta.url));
    const env = { NODE_OPTIONS: `--import=${shift}`, SHIFTED_CLOCK_MS: String(offMs) };
    // By that clock it is good for two hours, or over; the server thinks otherwise.
    if (offMs < 0) server.refuse(token());
    leave(10 * 60);
    expect(await call(env)).toMatchObject({ code: 0 });
    expect(await refreshes()).toEqual([1, 0]);
    expect(await agent(["auth", "status"], env)).toMatchObject({ code: 0 });
  });
});

describe("a token that is refused before its time", () => {
  it.each([
    ["run", ["run", "whoami"]],
    ["inspect", ["inspect"]],
    ["instructions", ["instructions"]],
    ["auth status", ["auth", "status"]],
    ["auth whoami", ["auth", "whoami"]],
  ])("is renewed and asked with once more: %s", async (_what, args) => {
    await signIn();
    server.refuse(token());
    expect(await agent(args)).toMatchObject({ code: 0 });
    expect(await refreshes()).toEqual([1, 0]);
  });

  it("is renewed once, of a server that refuses the new one as well", async () => {
    await signIn();
    server.refuseAll(true);
    const { code, stderr } = await call();
    server.refuseAll(false);
    expect([code, stderr]).toEqual([4, expect.stringContaining("agent auth login")]);
    expect(await refreshes()).toEqual([1, 0]);
  });
});

describe("auth refresh", () => {
  it("renews now, says until when; five at once share one", async () => {
    await signIn();
    const first = token();
    const results = await Promise.all(
      Array.from({ length: 5 }, () => agent(["auth", "refresh", "--json"])),
    );
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0]);
    expect(token()).not.toBe(first);
    const [granted] = await refreshes();
    const told = results.filter(({ stdout }) => Object(JSON.parse(stdout)).refreshed === true);
    expect(told).toHaveLength(granted);
    expect(granted).toBeLessThan(5);
    const { stdout } = await agent(["auth", "refresh"]);
    expect(stdout).toMatch(/^Refreshed the token of .*; expires \d{4}-/u);
  });

  it("of a token that was given: exit code 2", async () => {
    const given = ["--store", "file", "--token", "t".repeat(40)];
    const saved = await agent(["auth", "login", "--no-verify", ...given]);
    expect(saved.code).toBe(0);
    expect(await agent(["auth", "refresh"])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("cannot be refreshed"),
    });
  });
});

describe("a token with too few scopes", () => {
  it("elsewhere than on a terminal: exit code 4, and the whole command", async () => {
    await signIn();
    const { code, stderr } = await agent(["run", "restricted", "--json"]);
    expect(code).toBe(4);
    const { error } = Object(JSON.parse(stderr));
    expect(error).toMatchObject({ code: "forbidden", scopes: ["mcp", "mcp:restricted"] });
    expect(error.hint).toContain("agent auth login --url");
    expect(error.hint).toContain("--web --scope 'mcp mcp:restricted'");
    expect(await refreshes()).toEqual([0, 0]);
  });

  it.each([
    ["somebody who is signed in", true],
    ["a stranger, who signs in first", false],
  ])("on a terminal: offers %s to sign in with them, and then calls the tool", async (_, isIn) => {
    if (isIn) await signIn();
    const { env } = browserProgram(home.folder);
    const person = { ...home, env: { ...home.env, ...env } };
    const args = ["run", "restricted", "--url", server.url];
    const { shown, code } = await agentOnTerminal(person, args, [
      ...(isIn ? [] : ([["now? [Y/n]", "\n"]] as const)),
      ["wants more scopes for this. Sign in once more, for mcp:restricted too? [Y/n]", "\n"],
    ]);
    expect(shown).toContain("ada mcp mcp:restricted");
    expect(code).toBe(0);
  });
});

it("a server that answers 500 to a good token judges nothing: exit code 3", async () => {
  await signIn();
  const broken = await startRecordingServer((_request, response) => {
    response.writeHead(500).end("<html>");
  });
  try {
    const file = metadataFile();
    const metadata = Object(JSON.parse(readFileSync(file, "utf8")));
    const args = ["--url", broken.url];
    await runAgent(
      ["auth", "login", "--no-verify", "--store", "file", "--token", token(), ...args],
      {
        home,
      },
    );
    expect(metadata.renews).toBe(true);
    for (const command of [
      ["run", "whoami"],
      ["auth", "whoami"],
      ["auth", "status"],
    ]) {
      expect((await runAgent([...command, ...args], { home })).code).toBe(3);
    }
    expect(await refreshes()).toEqual([0, 0]);
  } finally {
    await broken.close();
  }
});

it("client credentials are asked for again with the client's own secret", async () => {
  const { id, secret } = clients.robot;
  const login = ["auth", "login", "--client-credentials", "--client-id", id, "--store", "file"];
  const signedIn = await runAgent([...login, "--url", server.url], {
    home,
    stdin: { text: `${secret}\n` },
  });
  expect([signedIn.code, signedIn.stderr]).toEqual([0, signedIn.stderr]);
  const first = token();
  leave(10);
  expect(await call()).toMatchObject({ code: 0, stderr: "" });
  expect(token()).not.toBe(first);
});
