import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { sendJson, startFakeServer } from "../client/support/fake-server.ts";
import type { FakeServer } from "../client/support/fake-server.ts";
import { runAgent, startAgent } from "./support/agent.ts";
import type { AgentOptions, AgentResult } from "./support/agent.ts";
import { startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

const staticToken = "static-token-of-the-tests-0001";
const auth = [
  { type: "local" },
  { type: "token", options: { tokens: [{ name: "ci", token: staticToken }] } },
];

/** The gateway lives in one home; whoever signs in may have another. */
let gatewayHome: Home;
let gateway: RunningGateway;
let home: Home;

beforeAll(async () => {
  gatewayHome = createHome();
  gateway = await startGateway(gatewayHome, { auth });
});
afterAll(async () => {
  await gateway.stop();
  gatewayHome.remove();
});
beforeEach(() => {
  home = createHome();
});
afterEach(() => home.remove());

function agent(args: string, options: Partial<AgentOptions> = {}): Promise<AgentResult> {
  return runAgent(args.split(" "), { home, ...options });
}

function login(text: string | Uint8Array, more = ""): Promise<AgentResult> {
  return agent(`auth login --url ${gateway.url}${more}`, { stdin: { text } });
}

async function savedToken(): Promise<string> {
  const { stdout } = await agent(`auth token --url ${gateway.url}`);
  return stdout.trim();
}

/** Asks the gateway itself what it thinks of a token. */
async function statusOf(token: string): Promise<number> {
  const headers = { authorization: `Bearer ${token}` };
  const answer = await fetch(`${gateway.url}/auth/status`, { headers });
  await answer.arrayBuffer();
  return answer.status;
}

describe("a token on stdin", () => {
  test.each([
    ["with a newline", `${staticToken}\n`],
    ["with CRLF", `${staticToken}\r\n`],
    ["with a byte order mark", `\ufeff${staticToken}\n`],
    ["without a newline", staticToken],
    ["of two lines", `${staticToken}\nanother line\n`],
    ["before a lot more", `${staticToken}\n${"x".repeat(300_000)}`],
  ])("%s", async (_, text) => {
    const { code, stdout, stderr } = await login(text);
    expect({ code, stderr }).toMatchObject({ code: 0 });
    expect(stdout).toMatch(
      /^Signed in to http:\/\/127\.0\.0\.1:\d+ as ci \(admin\), from stdin; /u,
    );
    expect(stdout + stderr).not.toContain(staticToken);
    expect(await savedToken()).toBe(staticToken);
  });

  test("of 65 KiB is refused", async () => {
    const { code, stderr } = await login("x".repeat(65 * 1024));
    expect(code).toBe(2);
    expect(stderr).toContain("longer than 64 KiB");
    expect(stderr).not.toContain("xxxxx");
  });

  test("in a pipe that stays open is taken at its newline, and the pipe is let go", async () => {
    const running = startAgent(["auth", "login", "--url", gateway.url], { home, stdin: "open" });
    running.process.stdin?.on("error", () => undefined);
    running.process.stdin?.write(`${staticToken}\n`);
    expect(await running.ended).toMatchObject({ code: 0 });
  });

  test("in a pipe that stays open and silent is waited for, aloud and not for ever", async () => {
    const args = ["auth", "login", "--url", gateway.url, "--stdin-timeout", "1.5"];
    const running = startAgent(args, { home, stdin: "open" });
    await running.waitFor("stderr", /Waiting for a token on stdin.*--local.*<\/dev\/null/u);
    const { code, stderr } = await running.ended;
    expect(code).toBe(2);
    expect(stderr).toContain("1.5 s");
  });

  test("is no longer waited for after Ctrl-C", async () => {
    const running = startAgent(["auth", "login", "--url", gateway.url], { home, stdin: "open" });
    await running.waitFor("stderr", /Waiting for a token/u);
    running.process.kill("SIGINT");
    expect(await running.ended).toMatchObject({ code: 130, stdout: "" });
  });

  test("an empty pipe is said, and is no token", async () => {
    const { code, stderr } = await login("");
    expect(code).toBe(2);
    expect(stderr).toContain("stdin was empty: did the command before the pipe fail?");
    expect(stderr).toMatch(/agent auth login --url \S+ < token\.txt/u);
  });

  test("/dev/null is no pipe", async () => {
    const { code, stderr } = await agent(`auth login --url ${gateway.url}`);
    expect(code).toBe(2);
    expect(stderr).not.toContain("stdin was empty");
  });

  test.each(["two words\n", "be\u0007ll\n"])("%j is refused and not repeated", async (text) => {
    const { code, stdout, stderr } = await login(text);
    expect(code).toBe(2);
    expect(stdout + stderr).not.toContain(text.trim());
  });
});

describe("signing in", () => {
  test("a wrong token: exit 4, nothing saved, the earlier profile unchanged", async () => {
    await login(staticToken);
    const { code, stdout, stderr } = await login("wrong-token-0123456789");
    expect({ code, stdout }).toEqual({ code: 4, stdout: "" });
    expect(stderr).toContain(
      `Token rejected by ${gateway.url}; nothing saved, the earlier profile is unchanged`,
    );
    expect(stderr).not.toContain("wrong-token");
    expect(await savedToken()).toBe(staticToken);
  });

  test("a server that is not there: exit 3, nothing saved, unless --no-verify", async () => {
    const gone = await startFakeServer(() => undefined);
    await gone.close();
    const refused = await agent(`auth login --url ${gone.url} --token abc`);
    expect(refused.code).toBe(3);
    expect(refused.stderr).toContain("nothing saved");
    expect((await agent("auth status --json")).code).toBe(4);
    expect((await agent(`auth login --url ${gone.url} --token abc --no-verify`)).code).toBe(0);
    expect((await agent("auth status --json")).code).toBe(3);
  });

  test("a server that is silent: exit 3 at the deadline", async () => {
    const silent = await startFakeServer(() => undefined);
    const args = `auth login --url ${silent.url} --token abc --timeout 0.3`;
    expect(await agent(args)).toMatchObject({ code: 3, stdout: "" });
    await silent.close();
  });

  test("with --json a failure is exactly one line", async () => {
    const { stdout, stderr } = await login("wrong-token-0123456789", " --json");
    expect(stdout).toBe("");
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "auth_rejected" } });
  });

  test.each([
    ["localhost:3050", "http://localhost:3050"],
    ["http://0.0.0.0:3050", "http://127.0.0.1:3050"],
    ["http://gw.example.com/mcp", "https://gw.example.com/mcp"],
    ["https://gw.example.com/mcp?token=hunter2", "https://gw.example.com/mcp"],
    ["https://user:hunter2@gw.example.com", "https://gw.example.com"],
  ])("%s is refused, the right address offered", async (given, offered) => {
    const { code, stderr } = await agent(`auth login --url ${given}`);
    expect(code).toBe(2);
    expect(stderr).toContain(offered);
    expect(stderr).not.toContain("hunter2");
  });

  test("many ways to write one server, one profile", async () => {
    await login(staticToken);
    const { port } = new URL(gateway.url);
    for (const url of [
      `http://localhost:${port}/mcp`,
      `http://LOCALHOST.:${port}/`,
      `${gateway.url}/sse`,
    ]) {
      expect((await agent(`auth token --url ${url}`)).stdout.trim()).toBe(staticToken);
    }
    const { stdout } = await agent("auth status --json");
    expect(JSON.parse(stdout)).toHaveLength(1);
  });

  test("files are private", async () => {
    await login(staticToken);
    const modes = ["profiles", "secrets"].flatMap((name) => {
      const folder = join(home.configDir, name);
      return readdirSync(folder).map((file) => join(folder, file));
    });
    expect(modes).toHaveLength(2);
    for (const file of modes) chmodSync(file, 0o644);
    const { code, stderr } = await agent(`auth status --url ${gateway.url}`);
    expect(code).toBe(0);
    expect(stderr.match(/was open to others/gu)).toHaveLength(2);
  });
});

function own(args: string): Promise<AgentResult> {
  return agent(args, { home: gatewayHome });
}

describe("the gateway of the same user", () => {
  afterEach(async () => {
    await own("auth logout --all");
  });

  test("mints, shows, says who, forgets", async () => {
    const signedIn = await own("auth login");
    expect(signedIn).toMatchObject({ code: 0 });
    expect(signedIn.stdout).toMatch(
      /\(admin\), from your own gateway; saved in .*; expires \d{4}-/u,
    );
    expect(await own("auth status")).toMatchObject({ code: 0 });
    const token = (await own("auth token")).stdout.trim();
    expect(token).toMatch(/^od_/u);
    expect(signedIn.stdout + signedIn.stderr).not.toContain(token);
    const whoami = JSON.parse((await own("auth whoami --json")).stdout);
    expect(whoami).toMatchObject({ authenticated: true, role: "admin", method: "local" });
    expect(await statusOf(token)).toBe(200);

    expect((await own("auth logout")).stdout).toContain("its token is revoked");
    expect(await statusOf(token)).toBe(401);
    expect(await own("auth status")).toMatchObject({ code: 4 });
  });

  test("--local leaves an open pipe alone", async () => {
    const running = startAgent(["auth", "login", "--local"], { home: gatewayHome, stdin: "open" });
    expect(await running.ended).toMatchObject({ code: 0 });
  });

  test("an expired token is minted again without a word", async () => {
    await own("auth login");
    const before = (await own("auth token")).stdout;
    const folder = join(gatewayHome.configDir, "profiles");
    const file = join(folder, readdirSync(folder)[0] ?? "");
    const profile = JSON.parse(readFileSync(file, "utf8"));
    writeFileSync(file, JSON.stringify({ ...profile, expiresAtMs: Date.now() - 1000 }));
    const after = await own("auth token --quiet");
    expect(after).toMatchObject({ code: 0, stderr: "" });
    expect(after.stdout).not.toBe(before);
    expect(await statusOf(after.stdout.trim())).toBe(200);
    expect((await own("auth token")).stdout).toBe(after.stdout);
  });

  test("20 sign-ins at once leave one whole profile", async () => {
    const results = await Promise.all(Array.from({ length: 20 }, () => own("auth login --local")));
    expect(results.map(({ code }) => code)).toEqual(Array.from({ length: 20 }, () => 0));
    expect(await own("auth status --json")).toMatchObject({ code: 0 });
    expect(readdirSync(join(gatewayHome.configDir, "profiles"))).toHaveLength(1);
  });
});

describe("many servers", () => {
  let server: FakeServer;
  /** Takes any token that names its path: `/p7` takes `token-of-/p7`. */
  beforeAll(async () => {
    server = await startFakeServer(({ path, headers }, response) => {
      const prefix = /^\/p\d+/u.exec(path)?.[0] ?? "";
      const what = path.slice(prefix.length);
      const good = headers.authorization === `Bearer token-of-${prefix}`;
      const ways = [{ type: "token", description: "" }];
      if (what === "/status") sendJson(response, 200, { name: "onedoor" });
      else if (what === "/auth") sendJson(response, 200, { required: true, ways });
      else if (what === "/auth/status" && good) {
        sendJson(response, 200, { authenticated: true, user: { id: prefix, name: prefix } });
      } else if (what === "/auth/logout" && good) sendJson(response, 200, { revoked: true });
      else sendJson(response, 401, {});
    });
  });
  afterAll(() => server.close());

  test("20 sign-ins to 20 URLs at once: each profile is whole, each token its own", async () => {
    const urls = Array.from({ length: 20 }, (_, index) => `${server.url}/p${index}`);
    const results = await Promise.all(
      urls.map((url) =>
        agent(`auth login --url ${url}`, { stdin: { text: `token-of-${new URL(url).pathname}` } }),
      ),
    );
    expect(results.map(({ code }) => code)).toEqual(urls.map(() => 0));
    const { code, stdout } = await agent("auth status --json");
    expect(code).toBe(0);
    const rows: { url: string; who: string; result: string }[] = JSON.parse(stdout);
    expect(rows.map(({ url }) => url).toSorted()).toEqual(urls.toSorted());
    for (const row of rows)
      expect(row).toMatchObject({ result: "ok", who: new URL(row.url).pathname });

    const gone = await agent("auth logout --all --json");
    expect(JSON.parse(gone.stdout)).toMatchObject({ removed: 20, orphans: 0 });
    expect(readdirSync(join(home.configDir, "secrets"))).toEqual([]);
    expect((await agent("auth logout --all")).code).toBe(0);
  });

  test("a corrupt profile is reported and set aside; the others go on", async () => {
    const url = `${server.url}/p1`;
    await agent(`auth login --url ${url}`, { stdin: { text: "token-of-/p1" } });
    const broken = join(home.configDir, "profiles", `${"0".repeat(32)}.json`);
    writeFileSync(broken, '{"url": "https://torn');
    const { code, stdout, stderr } = await agent("auth status --json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject([{ url, result: "ok" }]);
    expect(stderr).toContain(broken);
    const kept = readdirSync(join(home.configDir, "profiles")).find((name) =>
      name.includes("corrupt"),
    );
    expect(readFileSync(join(home.configDir, "profiles", kept ?? ""), "utf8")).toContain("torn");
    expect((await agent("auth status")).stderr).toBe("");
  });

  test("a profile's token goes to its own path and to no other", async () => {
    await agent(`auth login --url ${server.url}/p1`, { stdin: { text: "token-of-/p1" } });
    const before = server.requests.length;
    for (const path of ["", "/p11", "/p1x", "/p2"]) {
      expect((await agent(`auth whoami --url ${server.url}${path}`)).code).not.toBe(0);
    }
    const shown = server.requests.slice(before).filter(({ headers }) => headers.authorization);
    expect(shown).toEqual([]);
  });

  test("server down: logout removes locally, exit 0", async () => {
    const other = await startFakeServer((_, response) =>
      sendJson(response, 200, { name: "onedoor" }),
    );
    await agent(`auth login --url ${other.url} --no-verify --token abcdef`);
    await other.close();
    const { code, stderr } = await agent(`auth logout --url ${other.url}`);
    expect(code).toBe(0);
    expect(stderr).toContain("stays valid until the server ends it");
    expect((await agent("auth status")).code).toBe(4);
  });

  test("a header for curl", async () => {
    await agent(`auth login --url ${server.url}/p1`, { stdin: { text: "token-of-/p1" } });
    expect((await agent("auth token --header")).stdout).toBe(
      "Authorization: Bearer token-of-/p1\n",
    );
    const elsewhere = await agent("auth token --url https://gw.example.com");
    expect(elsewhere).toMatchObject({ code: 4, stdout: "" });
  });

  test("status of one profile loads neither conf, nor an SDK, nor the keychain", async () => {
    await agent(`auth login --url ${server.url}/p1 --store file`, {
      stdin: { text: "token-of-/p1" },
    });
    const folder = mkdtempSync(join(tmpdir(), "onedoor-coverage-"));
    const env = { NODE_V8_COVERAGE: folder };
    expect((await agent(`auth status --url ${server.url}/p1`, { env })).code).toBe(0);
    const loaded = readdirSync(folder).flatMap((name) => {
      const report: { result: { url: string }[] } = JSON.parse(
        readFileSync(join(folder, name), "utf8"),
      );
      return report.result.map(({ url }) => url);
    });
    rmSync(folder, { recursive: true });
    expect(loaded.filter((url) => url.endsWith("/dist/command-line.js"))).toHaveLength(1);
    expect(
      loaded.filter((url) =>
        /dist\/lazy|write-profile|mcp-|keychain|spinner|webapi|undici/u.test(url),
      ),
    ).toEqual([]);
  });
});
