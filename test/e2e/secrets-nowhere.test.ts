import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { sendJson, startFakeServer } from "../client/support/fake-server.ts";
import type { OidcProvider } from "../fixtures/start-oidc-provider.ts";
import { SecretHunt } from "./secrets-nowhere/secret-hunt.ts";
import { commandLineOf, watchProcesses } from "./secrets-nowhere/watch-processes.ts";
import { watchLife } from "./secrets-nowhere/watched-life.ts";
import type { WatchedLife } from "./secrets-nowhere/watched-life.ts";
import { startAgent } from "./support/agent.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { startGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { clients, freePort, startSignInServer } from "./support/oauth-servers.ts";
import { echoServer } from "./support/team.ts";

const pipedToken = "piped-token-of-the-tests-11111111";
const givenToken = "given-token-of-the-tests-22222222";
const wrongToken = "wrong-token-of-the-tests-33333333";
const password = "a pass phrase: of vera & nobody's 44444444";
const wrongPassword = "a wrong phrase of somebody 55555555";
const wrongSecret = "wrong-client-secret-66666666";
const vera = "vera@example.com";

let home: Home;
let provider: OidcProvider;
let gateway: RunningGateway;
let life: WatchedLife;
let url: string;
let resource: string;

beforeAll(async () => {
  home = createHome();
  provider = await startSignInServer();
  const port = await freePort();
  url = `http://127.0.0.1:${port}`;
  resource = `${url}/mcp`;
  gateway = await startGateway(
    home,
    {
      mcpServers: { open: echoServer("open") },
      auth: [
        { type: "local" },
        {
          type: "token",
          options: {
            tokens: [
              { name: "piped", token: pipedToken },
              { name: "given", token: givenToken },
            ],
          },
        },
        { type: "simple" },
        { type: "oauth", options: { issuer: provider.issuer, audience: resource, role: "editor" } },
      ],
    },
    { port, args: ["--debug"] },
  );
  life = watchLife(home);
  for (const [label, secret] of Object.entries({
    "the piped token": pipedToken,
    "the given token": givenToken,
    "a wrong token": wrongToken,
    "the password": password,
    "a wrong password": wrongPassword,
    "the client secret": clients.robot.secret,
    "a wrong client secret": wrongSecret,
    "the runtime secret": gateway.record.secret,
  })) {
    life.hunt.add(label, secret);
  }
});
afterAll(async () => {
  await gateway.stop();
  await provider.stop();
  life.remove();
  home.remove();
});

/** Every way in, each a profile of its own. */
const ways: Readonly<Record<string, { args: string; stdin?: string; shows?: "argv" }>> = {
  piped: { args: "", stdin: `${pipedToken}\n` },
  given: { args: `--token ${givenToken}`, shows: "argv" },
  own: { args: "--local" },
  web: { args: "--web" },
  vera: { args: `--email ${vera}`, stdin: `${password}\n` },
  robot: {
    args: `--client-credentials --client-id ${clients.robot.id}`,
    stdin: `${clients.robot.secret}\n`,
  },
};
const names = Object.keys(ways);

const words = (text: string): string[] => text.split(" ").filter((word) => word !== "");

async function login(name: string, more = ""): Promise<number | null> {
  const { args, stdin, shows } = ways[name] ?? { args: "" };
  const line = words(`auth login --url ${resource} --profile ${name} --store file ${args} ${more}`);
  const { code } = await life.agent(line, {
    ...(stdin !== undefined && { stdin }),
    ...(shows !== undefined && { shows }),
  });
  return code;
}

async function agent(line: string, stdin?: string): Promise<string> {
  const { code } = await life.agent(words(line), stdin === undefined ? {} : { stdin });
  return `${code} ${line}`;
}

describe("a life with every way in", () => {
  test("Vera gets a password", async () => {
    const done = [
      await agent("org add acme"),
      await agent(`user add ${vera}`),
      await agent(`member set ${vera} acme editor`),
      await agent(`user passwd ${vera}`, `${password}\n`),
      await agent("wait"),
    ];
    expect(done.map((line) => line[0])).toEqual(["0", "0", "0", "0", "0"]);
  });

  test.each(names)("sign in: %s", async (name) => {
    const before = life.hunt.size;
    expect(await login(name)).toBe(0);
    // What was minted or granted is looked for from now on.
    expect(life.hunt.size - before).toBeGreaterThanOrEqual(name in { piped: 0, given: 0 } ? 0 : 1);
  });

  test.each(names)("use: %s", async (name) => {
    const at = `--url ${resource} --profile ${name}`;
    const done = [
      await agent(`auth status ${at}`),
      await agent(`auth whoami ${at} --json`),
      await agent(`run open/read text=x ${at} --debug`),
      await agent(`inspect open ${at} --json`),
    ];
    expect(done.filter((line) => !line.startsWith("0 "))).toEqual([]);
    const refreshed = [
      await agent(`auth refresh ${at}`),
      await agent(`auth refresh ${at} --json --debug`),
    ];
    // What was only handed over has nothing to renew it with.
    const code = name === "piped" || name === "given" ? "2" : "0";
    expect(refreshed.map((line) => line[0])).toEqual([code, code]);
    const shown = await life.agent(words(`auth token ${at}`), { shows: "stdout" });
    expect(shown).toMatchObject({ code: 0 });
  });

  test("all of them, and another default", async () => {
    expect(await agent("auth status --all --json")).toMatch(/^0/u);
    expect(await agent(`auth switch vera --url ${resource}`)).toMatch(/^0/u);
    expect(await agent("auth status --all")).toMatch(/^0/u);
    expect(await agent("instructions")).toMatch(/^0/u);
  });

  test.each(["", "--json", "--debug", "--json --debug"])("what fails: %s", async (more) => {
    const at = `--url ${resource} --profile web ${more}`;
    const gone = await startFakeServer(() => undefined);
    await gone.close();
    const failing = await startFakeServer(({ headers }, response) => {
      sendJson(response, 500, { error: { code: "internal", message: `${headers.authorization}` } });
    });
    const fails = [
      await agent(`auth login ${at}`, `${wrongToken}\n`),
      await agent(`auth login ${at} --email ${vera}`, `${wrongPassword}\n`),
      await agent(`auth login ${at} --client-credentials --client-id robot`, `${wrongSecret}\n`),
      await agent(`auth login --url ${gone.url} ${more}`, `${wrongToken}\n`),
      await agent(`auth login --url ${failing.url} ${more}`, `${wrongToken}\n`),
      await agent(`auth login ${at}`, `two words ${wrongToken}\n`),
      await agent(`run open/nothing text=x ${at}`),
    ];
    await failing.close();
    expect(fails.map((line) => line[0])).toEqual(["4", "4", "4", "3", "3", "2", "2"]);
  });

  test("sign out", async () => {
    expect(await agent(`auth logout --url ${resource} --profile web`)).toMatch(/^0/u);
    expect(await agent(`auth logout --url ${resource} --profile robot --json`)).toMatch(/^0/u);
    expect(await agent("auth logout --all")).toMatch(/^0/u);
  });

  test("no secret stands anywhere", async () => {
    life.keep("log of the gateway", gateway.agent.stderr + gateway.agent.stdout);
    life.lookAtFiles();
    // What was made up here, a code, and of four ways three tokens each, of two three refresh tokens.
    expect(life.hunt.size).toBeGreaterThanOrEqual(8 + 1 + 12 + 6);
    expect(life.hunt.findIn(life.traces)).toEqual([]);
  });
});

test("--token is gone from the command line before the first request", async () => {
  const pids: number[] = [];
  const seen: string[] = [];
  const server = await startFakeServer((_, response) => {
    for (const pid of pids) seen.push(commandLineOf(pid)?.toString("latin1") ?? "gone");
    sendJson(response, 401, {});
  });
  for (const form of [["--token", givenToken], [`--token=${givenToken}`], ["-t", givenToken]]) {
    const running = startAgent(["auth", "whoami", "--url", server.url, ...form], { home });
    pids.push(running.pid);
    await running.ended;
    pids.pop();
  }
  await server.close();
  expect(seen.length).toBeGreaterThanOrEqual(3);
  expect(seen.filter((line) => line.includes(givenToken))).toEqual([]);
});

describe("the search finds what is planted", () => {
  const secret = "planted-secret/with+all~sorts_77777777";
  const hunt = new SecretHunt();
  hunt.add("planted", secret);
  const found = (text: string): number =>
    hunt.findIn([{ place: "here", text: Buffer.from(text) }]).length;

  test.each([
    ["as it is", `Authorization: Bearer ${secret}\n`],
    ["cut off at its front", `…${secret.slice(-14)}`],
    ["in a URL", `/mcp?token=${encodeURIComponent(secret)}`],
    ["in Basic", Buffer.from(`robot:${secret}`).toString("base64")],
    ["in Basic of a longer name", Buffer.from(`robots:${secret}`).toString("base64")],
    ["in base64url", Buffer.from(`x${secret}y`).toString("base64url")],
    ["in hex", Buffer.from(secret).toString("hex")],
    ["within bytes", `\u0000\u0001${secret}\u0000`],
  ])("%s", (_, text) => {
    expect(found(text)).toBeGreaterThan(0);
  });

  test("and nothing else, the four characters at its end among it", () => {
    expect(found(`token    …${secret.slice(-4)}`)).toBe(0);
  });

  test("in a file, and on the command line of what a process starts", async () => {
    const planted = watchLife(home);
    planted.hunt.add("planted", secret);
    writeFileSync(join(home.stateDir, "planted.log"), secret);
    planted.lookAtFiles();
    expect(planted.hunt.findIn(planted.traces)).toContain(
      ".local/state/onedoor/planted.log: planted, as it is",
    );
    planted.remove();

    const sleeper = `"${process.execPath}" -e "process.stdin.resume()" ${secret} & wait`;
    const child = spawn("sh", ["-c", 'read -r line; eval "$line"'], {
      stdio: ["pipe", "ignore", "ignore"],
    });
    const over = new Promise((resolve) => {
      child.once("close", resolve);
    });
    const watched = watchProcesses(child.pid ?? -1, over);
    child.stdin.end(`exec 3<&0; ${sleeper}\n`);
    expect(hunt.findIn(await watched).join()).toContain("/cmdline: planted");
  });
});
