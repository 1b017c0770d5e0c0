import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { startSupabaseAuth } from "../fixtures/supabase-auth.ts";
import type { SupabaseAuth } from "../fixtures/supabase-auth.ts";
import { addBob, bob, phrase } from "./sign-in/bob.ts";
import { administer, startWorld } from "./sign-in/world.ts";
import type { World } from "./sign-in/world.ts";
import { runAgent } from "./support/agent.ts";
import type { AgentOptions, AgentResult } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { agentOnTerminal } from "./support/on-terminal.ts";
import type { TerminalResult, Typed } from "./support/on-terminal.ts";

/** Not the gateway's own user: somebody on another machine, as far as the key ring can tell. */
let home: Home;
beforeEach(() => {
  home = createHome();
});
afterEach(() => home.remove());

type Stdin = AgentOptions["stdin"];

function agent(args: readonly string[], stdin: Stdin = "none"): Promise<AgentResult> {
  return runAgent(args, { home, stdin });
}

function login(url: string, stdin: Stdin, ...more: string[]): Promise<AgentResult> {
  return agent(["auth", "login", "--url", url, "--email", bob, ...more], stdin);
}

const password = { text: `${phrase}\n` };

function call(url: string, ...more: string[]): Promise<AgentResult> {
  return agent(["run", "open/write", "text=hi", "--url", url, ...more]);
}

/** Everything that the key ring holds. */
function kept(): string {
  const below = (folder: string): string[] =>
    readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
      const path = join(folder, entry.name);
      return entry.isDirectory() ? below(path) : [readFileSync(path, "utf8")];
    });
  return below(home.configDir).join("\n");
}

/** As the key ring shows its one profile. */
async function shownProfile(url: string): Promise<unknown> {
  const { stdout } = await agent(["auth", "status", "--url", url, "--json"]);
  return JSON.parse(stdout);
}

describe("the gateway's own users", () => {
  let world: World;
  let url: string;
  beforeAll(async () => {
    world = await startWorld([{ type: "local" }, { type: "simple" }]);
    url = world.gateway.url;
    await addBob(world);
  });
  afterAll(() => world.stop());

  const onTerminal = (typed: readonly Typed[], ...more: string[]): Promise<TerminalResult> =>
    agentOnTerminal(home, ["auth", "login", "--url", url, ...more], typed);

  test("a terminal: address and password are asked for, the password is not shown, and it works", async () => {
    const { shown, code, isRestored } = await onTerminal([
      ["Email address", `${bob}\r`],
      ["Password of", `${phrase}\r`],
    ]);
    expect(shown).toContain(`Signed in to ${url} as Bob (editor), from `);
    expect(shown).not.toMatch(/correct|horse|od_/u);
    expect({ code, isRestored }).toEqual({ code: 0, isRestored: true });
    expect(await call(url)).toMatchObject({ code: 0 });
    expect(kept()).not.toContain(phrase);
  });

  test("a terminal: a wrong password may be typed again", async () => {
    const { shown, code } = await onTerminal(
      [
        ["Password of", "wrong horse\r"],
        ["Password of", `${phrase}\r`],
      ],
      "--email",
      bob,
    );
    expect(shown).toContain("The email address or the password is wrong; try again");
    expect(shown).not.toContain("horse");
    expect(code).toBe(0);
  });

  test("a terminal: three wrong ones are enough", async () => {
    const { shown, code, isRestored } = await onTerminal(
      ["1", "2", "3"].map((keys) => ["Password of", `wrong${keys}\r`] as const),
      "--email",
      bob,
    );
    expect(shown).toContain("password is wrong; nothing saved");
    expect({ code, isRestored }).toEqual({ code: 4, isRestored: true });
  });

  test.each([
    ["at the address", [["Email address", "bo\u0003"]]],
    [
      "at the password",
      [
        ["Email address", `${bob}\r`],
        ["Password of", "corr\u0003"],
      ],
    ],
  ] as const)("a terminal: Ctrl-C %s", async (_where, typed) => {
    const { shown, code, isRestored } = await onTerminal(typed);
    expect({ code, isRestored }).toEqual({ code: 130, isRestored: true });
    expect(shown).not.toContain("corr");
    expect(await agent(["auth", "status", "--all"])).toMatchObject({ code: 4 });
  });

  test("a pipe: the password is its first line, and it is in nothing that is said or kept", async () => {
    const signedIn = await login(url, { text: `${phrase}\nmore\n` }, "--json");
    expect(signedIn).toMatchObject({ code: 0 });
    expect(JSON.parse(signedIn.stdout)).toMatchObject({
      saved: true,
      verified: true,
      who: "Bob",
      role: "editor",
      source: "password",
      renews: true,
      expiresAt: expect.any(String),
    });
    expect(`${signedIn.stdout}${signedIn.stderr}${kept()}`).not.toContain("horse");
    expect(await call(url)).toMatchObject({ code: 0 });
    expect(await shownProfile(url)).toMatchObject([{ result: "ok", renews: true }]);
  });

  test("signing out ends the session on the server", async () => {
    await login(url, password);
    const { stdout } = await agent(["auth", "token", "--url", url]);
    const status = () =>
      fetch(`${url}/auth/status`, { headers: { authorization: `Bearer ${stdout.trim()}` } });
    expect((await status()).status).toBe(200);
    expect(await agent(["auth", "logout", "--url", url])).toMatchObject({ code: 0 });
    expect((await status()).status).toBe(401);
  });

  test.each([
    ["an empty pipe, as of GitLab's jobs", { text: "" }],
    ["/dev/null", "none"],
  ] as const)("%s: says so and ends, with what to do", async (_what, stdin) => {
    const { code, stderr } = await login(url, stdin);
    expect(code).toBe(2);
    expect(stderr.includes("stdin was empty")).toBe(stdin !== "none");
    expect(stderr).toContain(`agent: No password of ${bob} for ${url}`);
    expect(stderr).toContain(`agent auth login --url ${url} --email ${bob} < password.txt`);
  });

  test("nobody to ask: the ways there are, the password among them", async () => {
    const { code, stderr } = await agent(["auth", "login", "--url", url]);
    expect(code).toBe(2);
    expect(stderr).toContain(`agent auth login --url ${url} --email <address> < password.txt`);
    expect(stderr).not.toContain("curl");
  });

  test("a wrong password: exit 4, and the earlier profile is as it was", async () => {
    await login(url, password);
    const before = kept();
    const { code, stderr } = await login(url, { text: "wrong horse\n" });
    expect(code).toBe(4);
    expect(stderr).toContain(
      "The email address or the password is wrong; nothing saved, the earlier profile is unchanged",
    );
    expect(stderr).not.toContain("horse");
    expect(kept()).toBe(before);
    expect(await call(url)).toMatchObject({ code: 0 });
  });

  test("a member of several organisations says which", async () => {
    const gil = "gil@example.com";
    await administer(world, ["org", "add", "globex"]);
    await administer(world, ["user", "add", gil, "--name", "Gil"]);
    await administer(world, ["member", "set", gil, "acme", "editor"]);
    await administer(world, ["member", "set", gil, "globex", "viewer"]);
    await administer(world, ["user", "passwd", gil], `${phrase}\n`);
    const asGil = ["auth", "login", "--url", url, "--email", gil];
    const unsaid = await agent(asGil, password);
    expect(unsaid.code).toBe(2);
    expect(unsaid.stderr).toContain("You are in several organisations: acme, globex");
    expect(unsaid.stderr).toContain("--organization <id>");
    expect(await agent([...asGil, "--organization", "globex"], password)).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Gil (viewer)"),
    });
    const asked = await onTerminal(
      [
        ["Password of", `${phrase}\r`],
        ["Organisation:", "acme\r"],
      ],
      "--email",
      gil,
    );
    expect(asked.code).toBe(0);
    expect(asked.shown).toContain("as Gil (editor)");
  });

  test("--email is one way among others", async () => {
    for (const other of ["--local", "--web", "--device", "--token=x"]) {
      expect(await login(url, "none", other)).toMatchObject({ code: 2 });
    }
    const elsewhere = ["auth", "login", "--url", url, "--local", "--organization", "acme"];
    expect(await agent(elsewhere)).toMatchObject({ code: 2 });
  });
});

describe("users of a Supabase project", () => {
  let supabase: SupabaseAuth;
  let world: World;
  let url: string;
  beforeAll(async () => {
    supabase = await startSupabaseAuth();
    supabase.addUser({ email: bob, password: phrase });
    world = await startWorld([
      { type: "local" },
      {
        type: "simple",
        options: { url: supabase.url, anonKey: supabase.anonKey, role: "editor", cacheSeconds: 0 },
      },
    ]);
    url = world.gateway.url;
  });
  afterEach(() => {
    supabase.fault = undefined;
  });
  afterAll(async () => {
    await world.stop();
    await supabase.close();
  });

  test("sign in, call, refresh and sign out", async () => {
    expect(await login(url, password)).toMatchObject({ code: 0 });
    expect(await call(url)).toMatchObject({ code: 0 });
    expect(await agent(["auth", "refresh", "--url", url])).toMatchObject({ code: 0 });
    expect(await call(url)).toMatchObject({ code: 0 });
    expect(await shownProfile(url)).toMatchObject([{ result: "ok", renews: true }]);
    const { stdout } = await agent(["auth", "token", "--url", url]);
    expect(await agent(["auth", "logout", "--url", url])).toMatchObject({ code: 0 });
    const ended = await fetch(`${url}/auth/status`, {
      headers: { authorization: `Bearer ${stdout.trim()}` },
    });
    expect(ended.status).toBe(401);
  });

  test("a wrong password is 4, a project in trouble 3, one that takes no more 6", async () => {
    expect(await login(url, { text: "wrong\n" })).toMatchObject({ code: 4 });
    supabase.fault = { status: 429, code: "over_request_rate_limit", retryAfter: "7" };
    const limited = await login(url, password);
    expect(limited).toMatchObject({ code: 6, stderr: expect.stringContaining("try again in 7 s") });
    supabase.fault = { status: 500, code: "unexpected_failure" };
    expect(await login(url, password)).toMatchObject({ code: 3 });
  });
});
