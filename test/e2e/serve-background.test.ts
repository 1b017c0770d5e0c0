import { once } from "node:events";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { runAgent, startAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { rawServer, startGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

let home: Home;
beforeEach(() => {
  home = createHome();
});
afterEach(async () => {
  await serve("--stop");
  home.remove();
});

const free = ["--background", "--port", "0"];

function serve(...args: string[]): Promise<AgentResult> {
  return runAgent(["serve", ...args], { home });
}

interface Status {
  running: boolean;
  pid: number;
  url: string;
  upstreams: Record<string, number>;
}

function parse(result: AgentResult): Status {
  return JSON.parse(result.stdout);
}

function log(): string {
  return readFileSync(join(home.stateDir, "gateway.log"), "utf8");
}

describe("--background", () => {
  it("starts a gateway that answers, says where, and leaves", async () => {
    home.writeConfiguration({ mcpServers: { raw: rawServer() } });
    const started = await serve(...free);
    expect(started).toMatchObject({ code: 0, stderr: "" });
    expect(started.stdout).toMatch(/^OneDoor \S+ runs at http:\/\/127\.0\.0\.1:\d+ \(process \d+/u);
    const status = await serve("--status", "--json");
    expect(status.code).toBe(0);
    expect(parse(status)).toMatchObject({ running: true, upstreams: { total: 1 } });
    expect(statSync(join(home.stateDir, "gateway.log")).mode & 0o777).toBe(0o600);
    expect(log()).toContain("Listening on");

    const stopped = await serve("--stop", "--json");
    expect(stopped).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(stopped.stdout)).toEqual({ stopped: true, pid: parse(status).pid });
    expect(log()).toContain('"Ended"');
    expect(existsSync(join(home.stateDir, "server.json"))).toBe(false);
  });

  it("outlives the terminal that started it", async () => {
    const { pid } = parse(await serve(...free, "--json"));
    // A session of its own: what is sent to the starter's process group does not reach it.
    const session = readFileSync(`/proc/${pid}/stat`, "utf8").split(" ")[5];
    expect(session).toBe(String(pid));
  });

  it("tells what keeps it from starting, as the foreground does", async () => {
    const file = home.writeConfiguration('{\n "port": "x"\n}');
    const background = await serve(...free.slice(0, 1));
    const foreground = await serve();
    expect(background).toEqual(foreground);
    expect(background.code).toBe(2);
    expect(background.stderr).toContain(`${file}:2: port: `);
    const json = await serve("--background", "--json");
    expect(JSON.parse(json.stderr)).toMatchObject({ error: { code: "config_invalid" } });
  });

  it("tells that the port is in use", async () => {
    const server = createServer();
    await new Promise<void>((resolve) => {
      server.listen(0, "127.0.0.1", resolve);
    });
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server's address is one
    const { port } = server.address() as AddressInfo;
    const { code, stderr } = await serve("--background", "--port", String(port));
    server.close();
    expect(code).toBe(2);
    expect(stderr).toContain(`agent: Port ${port} is in use\nhint: `);
    expect(await serve("--status")).toMatchObject({ code: 3 });
  });

  it("refuses to be the second on a state directory", async () => {
    await serve(...free);
    const { code, stdout, stderr } = await serve(...free);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toMatch(/^agent: Another gateway owns .*: it is at http.*\nhint: .*\n$/u);
  });

  it("keeps out of a log that is somebody's link", async () => {
    const target = join(home.folder, "precious");
    writeFileSync(target, "precious");
    mkdirSync(home.stateDir, { recursive: true, mode: 0o700 });
    symlinkSync(target, join(home.stateDir, "gateway.log"));
    expect(await serve(...free)).toMatchObject({ code: 1 });
    expect(readFileSync(target, "utf8")).toBe("precious");
  });

  it("leaves nothing when it is interrupted at its start", async () => {
    mkdirSync(home.stateDir, { recursive: true, mode: 0o700 });
    const watcher = watch(home.stateDir);
    const agent = startAgent(["serve", ...free], { home });
    // The log is opened for the gateway, just before its process begins.
    await once(watcher, "change");
    watcher.close();
    agent.process.kill("SIGINT");
    expect(await agent.ended).toMatchObject({ code: 130, stdout: "", stderr: "" });
    expect(await serve("--status")).toMatchObject({ code: 3 });
    expect(await serve(...free)).toMatchObject({ code: 0 });
  });

  it("logs no token", async () => {
    await serve(...free);
    await runAgent(["auth", "login", "--store", "file"], { home });
    const { stdout } = await runAgent(["auth", "token"], { home });
    expect(stdout.trim()).toMatch(/^od_/u);
    await runAgent(["inspect"], { home });
    await serve("--stop");
    expect(log()).toContain("A local token was minted");
    expect(log()).not.toContain(stdout.trim());
  });
});

describe("--status", () => {
  it("is 3 when none runs", async () => {
    expect(await serve("--status")).toEqual({
      code: 3,
      signal: null,
      stdout: "No gateway runs\n",
      stderr: "",
    });
    const json = await serve("--status", "--json");
    expect([json.code, JSON.parse(json.stdout)]).toEqual([3, { running: false }]);
  });

  it("with --json is a failure with its one line as well", async () => {
    const { code, stdout, stderr } = await serve("--status", "--json");
    expect(code).toBe(3);
    expect(JSON.parse(stdout)).toEqual({ running: false });
    expect(JSON.parse(stderr)).toMatchObject({
      error: { code: "unreachable", message: "No gateway runs", hint: "agent serve --background" },
    });
  });

  it("says where servers are named when there are none, and what is wrong on disk", async () => {
    const started = await serve(...free);
    const file = join(home.configDir, "mcp.json");
    expect(started.stdout).toContain(`No servers yet: name them under "mcpServers" in ${file};`);
    expect(started.stdout).toContain(`Configuration: ${file}`);
    // Whether a variable is set only the gateway knows, and it looks a moment later.
    home.writeConfiguration('{"host": "${NOT_SET_HERE}",\n "port": "x"\n}');
    const said = "mcp.json:1: host: the environment variable NOT_SET_HERE is not set";
    await vi.waitFor(async () => expect((await serve("--status")).stderr).toContain(said), 10_000);
    const { code, stdout, stderr } = await serve("--status");
    expect(code).toBe(0);
    expect(stdout).toContain(`Configuration: ${file} (an older one is in effect)\n`);
    expect(stderr).toMatch(
      /^configuration on disk is wrong: .*; the one before stays in effect\n/u,
    );
    expect(stderr).toContain(said);
    const json = await serve("--status", "--json");
    expect(json).toMatchObject({ code: 0, stderr: "" });
    expect(JSON.parse(json.stdout)).toMatchObject({
      configuration: file,
      configurationProblem: expect.stringContaining(said),
      configurationHint: "set NOT_SET_HERE, then agent serve --restart",
    });
  });

  it("finds a gateway in the foreground too", async () => {
    const gateway = await startGateway(home);
    expect(await serve("--status")).toMatchObject({ code: 0 });
    await serve("--stop");
    expect(await gateway.agent.ended).toMatchObject({ code: 0 });
  });

  it("sees through what a killed gateway left behind, and so does the next start", async () => {
    const gateway = await startGateway(home);
    gateway.agent.process.kill("SIGKILL");
    await gateway.agent.ended;
    expect(existsSync(join(home.stateDir, "server.json"))).toBe(true);
    const status = await serve("--status");
    expect(status.code).toBe(3);
    expect(status.stdout).toContain(`process ${gateway.agent.pid}`);
    expect(await serve("--stop")).toMatchObject({ code: 0, stdout: "" });
    expect(await serve(...free)).toMatchObject({ code: 0 });
  });

  it("tells a gateway that does not answer", async () => {
    const gateway = await startGateway(home);
    gateway.agent.process.kill("SIGSTOP");
    const { code, stdout } = await serve("--status", "--timeout", "0.3");
    gateway.agent.process.kill("SIGCONT");
    expect(code).toBe(3);
    expect(stdout).toContain(`process ${gateway.agent.pid}) does not answer`);
    await gateway.stop();
  });
});

describe("--stop", () => {
  it("is the same when none runs", async () => {
    expect(await serve("--stop")).toMatchObject({ code: 0, stdout: "" });
    expect(JSON.parse((await serve("--stop", "--json")).stdout)).toEqual({ stopped: false });
  });

  it("says when the gateway does not end in time", async () => {
    const gateway = await startGateway(home);
    gateway.agent.process.kill("SIGSTOP");
    const { code, stderr } = await serve("--stop", "--timeout", "0.3");
    gateway.agent.process.kill("SIGCONT");
    expect(code).toBe(3);
    expect(stderr).toContain(`(process ${gateway.agent.pid}) has not ended within 0.3 s`);
    expect(await gateway.agent.ended).toMatchObject({ code: 0 });
  });
});

describe("a runtime file that somebody else may have written", () => {
  it("is not believed, and said", async () => {
    const gateway = await startGateway(home);
    const file = join(home.stateDir, "server.json");
    chmodSync(file, 0o644);
    const status = await serve("--status");
    expect(status).toMatchObject({ code: 3 });
    expect(status.stdout).toContain("it is open to group or others");
    const stop = await serve("--stop");
    expect(stop).toMatchObject({ code: 0, stdout: "" });
    expect(stop.stderr).toContain("it is open to group or others");
    expect(gateway.agent.process.exitCode).toBeNull();
    await gateway.stop();
  });
});

describe("the log", () => {
  it("is put aside when it has grown long", async () => {
    mkdirSync(home.stateDir, { recursive: true, mode: 0o700 });
    writeFileSync(join(home.stateDir, "gateway.log"), "x".repeat(5 * 1024 * 1024 + 1));
    await serve(...free);
    expect(log()).toContain("Listening");
    expect(log().length).toBeLessThan(10_000);
    expect(statSync(join(home.stateDir, "gateway.log.1")).size).toBeGreaterThan(5 * 1024 * 1024);
  });
});

describe("--restart", () => {
  it("starts it again as it was started, or as it is told now", async () => {
    const config = join(home.folder, "team.json");
    writeFileSync(config, JSON.stringify({ mcpServers: { raw: rawServer() } }), { mode: 0o600 });
    const first = parse(await serve(...free, "--json", "--auth", "none", "-f", config));
    const second = parse(await serve("--restart", "--json"));
    expect(second.pid).not.toBe(first.pid);
    expect(second.url).toBe(first.url);
    expect(second.upstreams).toMatchObject({ total: 1 });
    expect(log().match(/without any sign-in/gu)).toHaveLength(2);

    const third = await serve("--restart", "--port", "0");
    expect(third).toMatchObject({ code: 0 });
    expect(log()).toContain("agent auth login");
    expect(parse(await serve("--status", "--json")).upstreams).toMatchObject({ total: 0 });
  });

  it("starts one when none runs", async () => {
    const { code, stderr } = await serve("--restart", "--port", "0");
    expect([code, stderr]).toEqual([0, "No gateway was running\n"]);
    expect(await serve("--status")).toMatchObject({ code: 0 });
  });
});
