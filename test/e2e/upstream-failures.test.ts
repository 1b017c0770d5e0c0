import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
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
  await gateway?.stop();
  gateway = undefined;
  home.remove();
});

function agent(...args: readonly string[]): Promise<AgentResult> {
  return runAgent(args, { home });
}

async function start(mcpServers: object): Promise<RunningGateway> {
  gateway = await startGateway(home, { mcpServers }, { args: ["--auth", "none"] });
  return gateway;
}

async function stateOf(server: string): Promise<{ state: string; reason?: string }> {
  const { stdout } = await agent("inspect", "--json");
  const { servers }: { servers: { name: string; state: string; reason?: string }[] } =
    JSON.parse(stdout);
  const found = servers.find(({ name }) => name === server);
  if (found === undefined) throw new Error(`${server} is not listed: ${stdout}`);
  return found;
}

describe("an upstream that dies in the middle of a call", () => {
  it("fails that call alone, shows what it last said, and works again after a pause", async () => {
    const { url } = await start({ raw: rawServer(), steady: rawServer() });
    expect(await agent("wait")).toMatchObject({ code: 0 });
    const steady = streamToolCall(url, {
      server: "steady",
      tool: "slow",
      arguments: { steps: 8, everyMs: 100 },
    });
    await steady.event("progress");

    const died = await agent("run", "raw/die");
    expect(died).toMatchObject({ code: 3, stdout: "" });
    expect(died.stderr).toMatch(/^agent: .*"raw".*exit.*7/mu);
    expect(await steady.event("result")).toContain("done");
    expect(await stateOf("steady")).toMatchObject({ state: "ready" });

    const page = await agent("inspect", "raw");
    expect(page.stdout).toContain("| about to die");
    await expect.poll(async () => (await stateOf("raw")).state, { timeout: 20_000 }).toBe("ready");
    expect(await agent("run", "raw/strange")).toMatchObject({ code: 0 });
  });

  it("is one JSON line with --json", async () => {
    await start({ raw: rawServer() });
    await agent("wait");
    const { code, stdout, stderr } = await agent("run", "raw/die", "--json");
    expect([code, stdout]).toEqual([3, ""]);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "upstream_unavailable" } });
  });
});

describe("an upstream that writes what is no message to its stdout", () => {
  it("is used all the same, and none of it reaches an answer", async () => {
    await start({ raw: rawServer("rubbish") });
    expect(await agent("wait")).toMatchObject({ code: 0 });
    const { code, stdout, stderr } = await agent("run", "raw/strange", "--json");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(JSON.parse(stdout)).toMatchObject({ structuredContent: [1, "two", { three: null }] });
    expect(stdout).not.toContain("Listening");
  });
});

describe("an upstream that does not start", () => {
  it.each([
    ["a program that is not there", { command: "no-such-program-of-onedoor" }, /not found|ENOENT/u],
    [
      "a program that ends at once",
      { command: process.execPath, args: ["-e", "console.error('no licence'); process.exit(3)"] },
      /no licence/u,
    ],
  ])("%s: named with its reason, exit 3, the others work", async (_, server, said) => {
    await start({ bad: server, everything: realServer("everything") });
    expect(await agent("wait", "everything")).toMatchObject({ code: 0 });
    const waited = await agent("wait", "bad");
    expect(waited.code).toBe(3);
    expect(waited.stderr).toContain("bad");
    const called = await agent("run", "bad/anything");
    expect(called).toMatchObject({ code: 3, stdout: "" });
    expect(called.stderr).toContain('"bad"');
    const page = await agent("inspect", "bad");
    expect(page.stdout + page.stderr).toMatch(said);
    const echoed = await agent("run", "everything/echo", "message=hello");
    expect(echoed).toMatchObject({ code: 0 });
    expect(echoed.stdout).toContain("hello");
  });
});
