import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { sendJson, startFakeServer } from "../client/support/fake-server.ts";
import type { FakeServer } from "../client/support/fake-server.ts";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

let server: FakeServer;
let home: Home;

/** Two gateways on one host, `/a` and `/b`; each takes its own tokens and says whose they are. */
beforeAll(async () => {
  server = await startFakeServer(({ path, headers }, response) => {
    const [, prefix = "", what = ""] = /^(\/[ab])(.*)$/u.exec(path) ?? [];
    const user = new RegExp(`^Bearer (\\w+)-of-${prefix}$`, "u").exec(
      headers.authorization ?? "",
    )?.[1];
    if (what === "/status") sendJson(response, 200, { name: "onedoor" });
    else if (what === "/auth") {
      sendJson(response, 200, { required: true, ways: [{ type: "token", description: "" }] });
    } else if (what === "/auth/status" && user !== undefined) {
      sendJson(response, 200, {
        authenticated: true,
        user: { id: user, name: `${user}@${prefix}` },
      });
    } else sendJson(response, 401, {});
  });
});
afterAll(() => server.close());

beforeEach(async () => {
  home = createHome();
  for (const args of [
    ["--url", `${server.url}/a`, "--token", "ann-of-/a"],
    ["--url", `${server.url}/b`, "--token", "bob-of-/b"],
    ["--url", `${server.url}/b`, "--token", "eve-of-/b", "--profile", "work"],
  ]) {
    const { code, stderr } = await agent("auth", "login", ...args);
    if (code !== 0) throw new Error(stderr);
  }
});
afterEach(() => home.remove());

function agent(...args: readonly string[]): Promise<AgentResult> {
  return runAgent(args, { home });
}

async function who(): Promise<string> {
  const { stdout } = await agent("auth", "whoami", "--json");
  const answer: { user: { name: string } } = JSON.parse(stdout);
  return answer.user.name;
}

test("a server's URL: commands go there from now on, where no gateway runs", async () => {
  expect(await who()).toBe("ann@/a");
  const switched = await agent("auth", "switch", `${server.url}/b/mcp`, "--profile", "default");
  expect(switched).toMatchObject({ code: 0, stderr: "" });
  expect(switched.stdout).toContain(`${server.url}/b`);
  expect(await who()).toBe("bob@/b");
  await agent("auth", "switch", `${server.url}/a`);
  expect(await who()).toBe("ann@/a");
});

test("a profile's name, as JSON", async () => {
  const { code, stdout } = await agent("auth", "switch", "work", "--json");
  expect(code).toBe(0);
  expect(JSON.parse(stdout)).toEqual({ url: `${server.url}/b`, name: "work" });
  expect(await who()).toBe("eve@/b");
});

test("logging the chosen one out leaves the others", async () => {
  await agent("auth", "switch", "work");
  expect(await agent("auth", "logout")).toMatchObject({ code: 0 });
  expect((await agent("auth", "status", "--all", "--json")).stdout).not.toContain("eve");
  expect(["ann@/a", "bob@/b"]).toContain(await who());
});

test.each([
  ["nothing said", [], 2],
  ["a name that is none", ["nobody"], 2],
  ["a URL without a scheme", ["--url", "gw.example.com"], 2],
])("%s: refused with the choices, the default unchanged", async (_, args, code) => {
  const before = await who();
  const refused = await agent("auth", "switch", ...args);
  expect(refused).toMatchObject({ code, stdout: "" });
  expect(refused.stderr).toMatch(/^agent: /u);
  expect(refused.stderr).toMatch(/^hint: /mu);
  expect(await who()).toBe(before);
});

test("nothing saved: 4, and the way to sign in", async () => {
  await agent("auth", "logout", "--all");
  const { code, stderr } = await agent("auth", "switch", "work");
  expect(code).toBe(4);
  expect(stderr).toContain("agent auth login");
});
