import { existsSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { processesMarked } from "../soak/processes.mjs";
import { runAgent, startAgent } from "./support/agent.ts";
import type { RunningAgent } from "./support/agent.ts";
import { streamToolCall } from "./support/call-tool.ts";
import { rawServer, realServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

let home: Home;
let gateway: RunningGateway | undefined;
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  for (const agent of [gateway?.agent, ...others.splice(0)]) {
    // Not SIGKILL: only the gateway itself can end the servers it started.
    agent?.process.kill("SIGTERM");
    await agent?.ended;
  }
  gateway = undefined;
  home.remove();
});

/** Started without waiting for an answer; ended with the test, however it ends. */
const others: RunningAgent[] = [];
function serve(args: readonly string[], env: Readonly<Record<string, string>> = {}): RunningAgent {
  const agent = startAgent(["serve", ...args], { home, env });
  others.push(agent);
  return agent;
}

const open = ["--auth", "none"];

function logOf(text: string): { msg: string; level: number; [field: string]: unknown }[] {
  return text
    .split("\n")
    .filter((line) => line.startsWith("{"))
    .map((line) => JSON.parse(line));
}

/** A process that has ended, and that nobody has asked how, does not live any more either. */
function isAlive(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return !stat.slice(stat.lastIndexOf(")")).startsWith(") Z");
  } catch {
    return false;
  }
}

/** The grandchild and then the child that one call of `grandchild` tells. */
async function rawPids(): Promise<number[]> {
  const call = await runAgent(["run", "raw/grandchild", "--json"], { home });
  const { pids }: { pids: [number, number] } = JSON.parse(call.stdout);
  return pids.toReversed();
}

async function freePort(): Promise<{ port: number; release: () => Promise<void> }> {
  const server = createServer();
  await new Promise<void>((resolve) => {
    server.listen(0, "127.0.0.1", resolve);
  });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's address is one
  const { port } = server.address() as AddressInfo;
  return {
    port,
    release: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
      }),
  };
}

describe("the log", () => {
  it.each([
    [
      [],
      /the user \S+ on this machine, with a token from "agent auth login", and whoever shows a token from "agent token create"$/u,
    ],
    [["--auth", "none"], /everybody on this machine, without any sign-in$/u],
    [
      ["--auth", "token"],
      /every program on this machine with one of the 2 tokens of the configuration \(2 as admin\)$/u,
    ],
  ])("says first who can get in, %j", async (args, sentence) => {
    const tokens = [
      { name: "a", token: "first-static-token" },
      { name: "b", token: "second-static-token" },
    ];
    const auth = args.includes("token") ? { auth: { type: "token", options: { tokens } } } : {};
    gateway = await startGateway(home, auth, { args });
    const { code, stdout, stderr } = await gateway.stop();
    expect([code, stdout]).toEqual([0, ""]);
    expect(logOf(stderr)[0]?.msg).toMatch(sentence);
    expect(stderr).not.toContain("static-token");
  });

  it("says how to add servers when there are none", async () => {
    gateway = await startGateway(home);
    const { stderr } = await gateway.stop();
    expect(stderr).toContain(join(home.configDir, "mcp.json"));
    expect(stderr).toContain("mcpServers");
  });
});

describe.each(["SIGTERM", "SIGINT"] as const)("%s", (signal) => {
  it("ends it with 0, with every process it started, and without its runtime file", async () => {
    gateway = await startGateway(home, { mcpServers: { raw: rawServer() } }, { args: open });
    await runAgent(["wait"], { home });
    const call = await runAgent(["run", "raw/grandchild", "--json"], { home });
    const { pids }: { pids: number[] } = JSON.parse(call.stdout);
    expect(pids.map(isAlive)).toEqual([true, true]);

    gateway.agent.process.kill(signal);
    expect(await gateway.agent.ended).toMatchObject({ code: 0, signal: null });
    expect(pids.map(isAlive)).toEqual([false, false]);
    expect(existsSync(join(home.stateDir, "server.json"))).toBe(false);
  });

  it("ends it in the same way while it starts, and who waits for it is not left waiting", async () => {
    const { port, release } = await freePort();
    await release();
    home.writeConfiguration({ mcpServers: { raw: rawServer() } });
    const agent = serve([...open, "--port", String(port)]);
    await expect
      .poll(() => fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined), {
        interval: 5,
        timeout: 10_000,
      })
      .toMatchObject({ status: 200 });
    expect(existsSync(join(home.stateDir, "server.json"))).toBe(false);
    const waiting = fetch(`http://127.0.0.1:${port}/status`).then(({ status }) => status);
    agent.process.kill(signal);
    expect(await agent.ended).toMatchObject({ code: 0, signal: null });
    expect([200, "refused"]).toContain(await waiting.catch(() => "refused"));
    expect(processesMarked(home.folder).map(({ command }) => command)).toEqual([]);
    expect(existsSync(join(home.stateDir, "server.json"))).toBe(false);
    expect(await fetch(`http://127.0.0.1:${port}/health`).catch(() => "refused")).toBe("refused");
  });
});

describe("calls in flight when it is to end", () => {
  it("get their answer", async () => {
    gateway = await startGateway(home, { mcpServers: { raw: rawServer() } }, { args: open });
    await runAgent(["wait"], { home });
    const call = streamToolCall(gateway.url, {
      server: "raw",
      tool: "slow",
      arguments: { steps: 3, everyMs: 200 },
    });
    await call.event("progress");
    const ended = gateway.stop();
    expect(await call.event("result")).toContain("done");
    expect(await ended).toMatchObject({ code: 0 });
  });

  it("are given up at a second signal", async () => {
    gateway = await startGateway(home, { mcpServers: { raw: rawServer() } }, { args: open });
    await runAgent(["wait"], { home });
    const call = streamToolCall(gateway.url, {
      server: "raw",
      tool: "slow",
      arguments: { steps: 100, everyMs: 200 },
    });
    const pids = await rawPids();
    await call.event("progress");
    gateway.agent.process.kill("SIGINT");
    await gateway.agent.waitFor("stderr", /Ending/u);
    gateway.agent.process.kill("SIGINT");
    expect(await gateway.agent.ended).toMatchObject({ code: null, signal: "SIGINT" });
    await call.ended.catch(() => undefined);
    await expect.poll(() => pids.filter(isAlive)).toEqual([]);
  });
});

describe("what is audited", () => {
  it("is written before it ends", async () => {
    const args = { args: open };
    gateway = await startGateway(home, { mcpServers: { memory: realServer("memory") } }, args);
    await runAgent(["wait"], { home });
    const call = streamToolCall(gateway.url, {
      server: "memory",
      tool: "read_graph",
      arguments: {},
    });
    await call.ended;
    await gateway.stop();
    const { default: Database } = await import("libsql");
    const database = new Database(join(home.stateDir, "onedoor.db"));
    const rows = database.prepare("SELECT tool_name, status FROM mcp_audit_log").raw(true).all();
    database.close();
    expect(rows).toEqual([["memory__read_graph", "success"]]);
  });
});

describe("a start that cannot be", () => {
  it("because of the configuration, names file, line, key and reason", async () => {
    const file = home.writeConfiguration('{\n  "mcpServers": {\n    "x": { "command": 5 }\n  }\n}');
    const { code, stdout, stderr } = await runAgent(["serve", "--port", "0"], { home });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(`${file}:3: mcpServers.x.command: `);
  });

  it("because a named file is missing", async () => {
    const args = ["serve", "--port", "0", "--json", "-f", "nowhere.json"];
    const { code, stderr } = await runAgent(args, { home });
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "config_invalid" } });
  });

  it("because the port is in use, ends with 2 and leaves nothing running", async () => {
    const { port, release } = await freePort();
    home.writeConfiguration({ mcpServers: { raw: rawServer() } });
    const { code, stderr } = await runAgent(["serve", "--port", String(port)], { home });
    await release();
    expect(code).toBe(2);
    expect(stderr).toMatch(/^agent: Port \d+ is in use\nhint: .*\n$/u);
    expect(stderr).toMatch(/^hint: .*--port/mu);
    expect(existsSync(join(home.stateDir, "server.json"))).toBe(false);
  });

  it("because another gateway owns the state directory", async () => {
    gateway = await startGateway(home);
    const { code, stderr } = await runAgent(["serve", "--port", "0"], { home });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^agent: Another gateway owns .*\nhint: .*\n$/u);
    expect(stderr).toContain("agent serve --status");
    const json = await runAgent(["serve", "--port", "0", "--json"], { home });
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "config_invalid" } });
    expect(await runAgent(["serve", "--status"], { home })).toMatchObject({ code: 0 });
  });

  it.each([
    [["--host", "0.0.0.0"], {}, "externalUrl"],
    [["--host", "0.0.0.0", "--insecure-http"], { NODE_ENV: "development" }, "NODE_ENV"],
    [["--host", "0.0.0.0", "--insecure-http", "--auth", "none"], {}, "none"],
    [["--auth", "nobody"], {}, "--auth"],
    [["--auth", "token"], {}, "token"],
    [["--port", "70000"], {}, "--port"],
    [["--port", "1.5"], {}, "--port"],
    [["--stop", "--status"], {}, "--status and --stop"],
  ])("because of %j %j", async (args, env, named) => {
    const { code, stderr, stdout } = await runAgent(["serve", "--port", "0", ...args], {
      home,
      env,
    });
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(named);
    expect(stderr).toMatch(/^hint: ./mu);
  });
});

describe("its variables", () => {
  it("are the options' twins", async () => {
    const config = home.writeConfiguration({ mcpServers: { raw: rawServer() } });
    const { port, release } = await freePort();
    await release();
    const agent = serve([], {
      ONEDOOR_PORT: String(port),
      ONEDOOR_AUTH: "none",
      ONEDOOR_CONFIG: config,
    });
    await agent.waitFor("stderr", new RegExp(`Listening on http://127\\.0\\.0\\.1:${port}`, "u"));
    expect(agent.stderr).toContain("without any sign-in");
    agent.process.kill("SIGTERM");
    expect(await agent.ended).toMatchObject({ code: 0 });
  });
});

describe("saving the configuration", () => {
  it("puts changed servers into effect, and a wrong file none", async () => {
    gateway = await startGateway(home, { mcpServers: { one: rawServer() } }, { args: open });
    await runAgent(["wait"], { home });
    const before = await runAgent(["run", "one/grandchild", "--json"], { home });

    home.writeConfiguration({ mcpServers: { one: rawServer(), two: rawServer() } });
    await gateway.agent.waitFor("stderr", /The changed configuration is in effect/u);
    expect(await runAgent(["wait", "two"], { home })).toMatchObject({ code: 0 });

    home.writeConfiguration("{ not json");
    const [said] = await gateway.agent.waitFor("stderr", /The changed configuration is wrong.*/u);
    expect(said).toContain("mcp.json:1");
    const { stdout } = await runAgent(["inspect", "--json"], { home });
    expect(stdout).toContain('"two"');

    const [pid]: number[] = JSON.parse(before.stdout).pids;
    expect(isAlive(pid ?? 0)).toBe(true);
  });

  it("says what is seldom meant, at the start and whenever it is saved", async () => {
    const url = "http://127.0.0.1:9/sse";
    gateway = await startGateway(home, { mcpServers: { old: { url } } }, { args: open });
    const { agent } = gateway;
    const [atStart] = await agent.waitFor("stderr", /mcpServers\.old\.url: ends in \/sse.*/u);
    expect(atStart).toContain('needs \\"type\\": \\"sse\\"');
    home.writeConfiguration({ mcpServers: { older: { url } } });
    await agent.waitFor("stderr", /mcpServers\.older\.url: ends in \/sse/u);
  });

  it("takes a file that comes later", async () => {
    const agent = serve(["--port", "0", ...open]);
    await agent.waitFor("stderr", /No servers yet/u);
    home.writeConfiguration({ mcpServers: { one: rawServer() }, allowedHosts: ["a"] });
    await agent.waitFor("stderr", /is in effect/u);
    expect(await runAgent(["wait", "one"], { home })).toMatchObject({ code: 0 });
    await agent.waitFor("stderr", /only after a restart: allowedHosts/u);
    agent.process.kill("SIGTERM");
    expect(await agent.ended).toMatchObject({ code: 0 });
  });
});

it("listens on both loopback addresses and says which", async () => {
  gateway = await startGateway(home, {}, { args: open });
  const { msg } = logOf(gateway.agent.stderr).find((entry) => entry.msg.startsWith("Listening"))!;
  expect(msg).toContain(gateway.url);
  const { record } = gateway;
  expect(readFileSync(join(home.stateDir, "server.json"), "utf8")).toContain(record.instanceId);
  await gateway.stop();
});
