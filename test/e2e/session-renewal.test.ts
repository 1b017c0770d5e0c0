import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startSupabaseAuth } from "../fixtures/supabase-auth.ts";
import { addBob, bob, phrase } from "./sign-in/bob.ts";
import { administer, startWorld } from "./sign-in/world.ts";
import type { World } from "./sign-in/world.ts";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

let home: Home;
let world: World;
let url: string;
beforeEach(() => {
  home = createHome();
});
afterEach(() => home.remove());

function agent(...args: string[]): Promise<AgentResult> {
  return runAgent([...args, "--url", url], { home });
}

function login(): Promise<AgentResult> {
  const args = ["auth", "login", "--url", url, "--email", bob];
  return runAgent(args, { home, stdin: { text: `${phrase}\n` } });
}

const call = (): Promise<AgentResult> => agent("run", "open/write", "text=hi");

function secrets(): string {
  const folder = join(home.configDir, "secrets");
  return readdirSync(folder)
    .map((name) => readFileSync(join(folder, name), "utf8"))
    .join("\n");
}

/** Moves what the key ring says of times. */
function change(times: (metadata: Record<string, number>) => object): void {
  const folder = join(home.configDir, "profiles");
  for (const name of readdirSync(folder).filter((each) => each.endsWith(".json"))) {
    const file = join(folder, name);
    const metadata: Record<string, number> = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ ...metadata, ...times(metadata) }));
  }
}

/** As if the time of every token were over. */
const endNow = (): void => change(() => ({ expiresAtMs: Date.now() }));

/** How often a session of the gateway's own was refreshed. */
async function audited(): Promise<number> {
  const rows = await administer(world, ["audit", "--tool", "auth/login", "--json"]);
  return [...rows.matchAll(/"grant":\s*"refresh_token"/gu)].length;
}

describe("the gateway's own users", () => {
  beforeAll(async () => {
    world = await startWorld([{ type: "local" }, { type: "simple" }]);
    ({ url } = world.gateway);
    await addBob(world);
  });
  afterAll(() => world.stop());

  test("an end that is near: the session renews itself, once for many commands at once", async () => {
    await login();
    const before = secrets();
    const earlier = await audited();
    endNow();
    const results = await Promise.all([1, 2, 3, 4, 5, 6].map(() => call()));
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0, 0, 0]);
    expect(secrets()).not.toBe(before);
    expect((await audited()) - earlier).toBe(1);
  });

  test("a copy of the key ring from before a renewal: the session is over for both", async () => {
    await login();
    const copy = createHome();
    cpSync(home.configDir, copy.configDir, { recursive: true });
    endNow();
    expect(await call()).toMatchObject({ code: 0 });
    const args = ["run", "open/write", "text=hi", "--url", url];
    const stale = await runAgent(args, { home: copy });
    copy.remove();
    expect(stale).toMatchObject({ code: 4, stderr: expect.stringContaining("agent auth login") });
    expect(await call()).toMatchObject({ code: 4 });
  });

  test("a session is refreshed on demand, once for each refresh token", async () => {
    await login();
    const token = async (): Promise<string> => (await agent("auth", "token")).stdout.trim();
    const first = await token();
    expect(await agent("auth", "refresh")).toMatchObject({ code: 0 });
    const second = await token();
    expect(second).not.toBe(first);
    expect(await agent("auth", "refresh")).toMatchObject({ code: 0 });
    expect(await token()).not.toBe(second);
    expect(await call()).toMatchObject({ code: 0 });
  });

  test("logout ends a session whose access token has expired", async () => {
    await login();
    const copy = createHome();
    cpSync(home.configDir, copy.configDir, { recursive: true });
    endNow();
    expect(await agent("auth", "logout")).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("its token is revoked"),
    });
    const renewal = await runAgent(["auth", "refresh", "--url", url], { home: copy });
    copy.remove();
    expect(renewal).toMatchObject({ code: 4 });
  });

  test("a session that is over says so, and names the command", async () => {
    await login();
    // The same once more ends every session of his as well.
    await administer(world, ["user", "passwd", bob], `${phrase}\n`);
    expect(await agent("auth", "refresh")).toMatchObject({ code: 4 });
    const { code, stderr } = await call();
    expect(code).toBe(4);
    expect(stderr).toContain("agent auth login");
  });
});

describe("users of a Supabase project", () => {
  test("tokens of half a minute: each is renewed before its use, once for what follows closely", async () => {
    const project = await startSupabaseAuth({ lifetimeSeconds: 30 });
    project.addUser({ email: bob, password: phrase });
    const options = { url: project.url, anonKey: project.anonKey, role: "editor" };
    world = await startWorld({ type: "simple", options });
    ({ url } = world.gateway);
    const refreshes = (): number =>
      project.requests.filter(({ path }) => path.includes("grant_type=refresh_token")).length;
    expect(await login()).toMatchObject({ code: 0 });
    expect(refreshes()).toBe(0);
    expect(await call()).toMatchObject({ code: 0 });
    expect(refreshes()).toBe(1);
    // As if it had just been, however slow this machine is; and then as if it were a while ago.
    change(() => ({ renewedAtMs: Date.now() }));
    const results = await Promise.all([1, 2, 3, 4].map(() => call()));
    expect(results.map(({ code }) => code)).toEqual([0, 0, 0, 0]);
    expect(refreshes()).toBe(1);
    change(({ renewedAtMs = 0 }) => ({ renewedAtMs: renewedAtMs - 10_000 }));
    expect(await call()).toMatchObject({ code: 0 });
    expect(refreshes()).toBe(2);
    await world.stop();
    await project.close();
  });
});
