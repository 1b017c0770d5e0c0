import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEverything } from "../client/support/everything-server.ts";
import { runAgent } from "./support/agent.ts";
import { rawServer, realServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";

let home: Home;
let gateway: RunningGateway;
let file: string;
beforeAll(async () => {
  home = createHome();
  const servers = {
    everything: { ...realServer("everything"), tags: ["demo", "web"] },
    memory: { ...realServer("memory"), tags: ["data"] },
    raw: { ...rawServer(), tags: ["web"] },
  };
  const text = `{
  // ours
  "mcpServers": ${JSON.stringify(servers)},
  "presets": { "old": {"servers": ["memory", "gone"], "tags": ["data", "nowhere"]} } // kept
}
`;
  gateway = await startGateway(home, text);
  file = join(home.configDir, "mcp.json");
  await agent(["auth", "login"]);
  await agent(["wait"]);
});
afterAll(async () => {
  await gateway.stop();
  home.remove();
});

const agent = (args: readonly string[], cwd?: string) =>
  runAgent(args, { home, ...(cwd !== undefined && { cwd }) });
const serversOf = async (args: readonly string[], cwd?: string): Promise<string[]> => {
  const { code, stdout, stderr } = await agent(["inspect", "--json", "-q", ...args], cwd);
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  const { servers }: { servers: { name: string }[] } = JSON.parse(stdout);
  return servers.map(({ name }) => name);
};

describe("a preset", () => {
  test("is saved, taken up, shown, used and deleted, and the file keeps its comments", async () => {
    const saved = await agent(["preset", "save", "dev", "--servers", "everything,memory"]);
    expect(saved).toMatchObject({ code: 0 });
    expect(saved.stdout).toContain("servers now: everything, memory");
    expect(saved.stderr).toContain("the running gateway has taken it up");
    expect(readFileSync(file, "utf8")).toMatch(/\/\/ ours[\s\S]*\/\/ kept/u);
    await expect
      .poll(async () => (await agent(["preset", "show", "dev"])).code, { timeout: 20_000 })
      .toBe(0);
    expect(await serversOf(["--preset", "dev"])).toEqual(["everything", "memory"]);
    expect(await serversOf(["--preset", "dev", "--tags", "data"])).toEqual(["memory"]);

    const other = ["preset", "save", "dev", "--tags", "web"];
    const refused = await agent(other);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain("--replace");
    expect(await agent([...other, "--replace"])).toMatchObject({ code: 0 });
    expect(await agent(other)).toMatchObject({ code: 0 });

    const deleted = await agent(["preset", "delete", "dev"]);
    expect(deleted).toMatchObject({ code: 0, stdout: "Deleted dev\n" });
    expect(deleted.stderr).toContain("To have it again: agent preset save dev --tags web");
    expect(await agent(["preset", "delete", "dev"])).toMatchObject({ code: 2 });
    await expect
      .poll(async () => (await agent(["inspect", "--preset", "dev"])).code, { timeout: 20_000 })
      .toBe(2);
  });

  test("that names what is gone is marked", async () => {
    const { stdout } = await agent(["preset", "list"]);
    expect(stdout).toContain("not there: servers gone; tags nowhere");
    const listed = await agent(["preset", "list", "--json"]);
    expect(JSON.parse(listed.stdout)).toMatchObject({
      presets: [
        {
          name: "old",
          servers: ["memory"],
          missing: { servers: ["gone"], tags: ["nowhere"] },
        },
      ],
      file: null,
    });
    const shown = await agent(["preset", "show", "odl"]);
    expect(shown).toMatchObject({ code: 2 });
    expect(shown.stderr).toContain('Did you mean "old"?');
    const saved = await agent(["preset", "save", "ghost", "--servers", "nobody"]);
    expect(saved.stderr).toContain("not there: servers nobody");
    expect(await agent(["preset", "delete", "ghost"])).toMatchObject({ code: 0 });
  });

  test("is read from the file where no gateway runs, and that is said", async () => {
    const other = createHome();
    other.writeConfiguration({ mcpServers: {}, presets: { dev: { tags: ["a"] } } });
    const { code, stdout, stderr } = await runAgent(["preset", "list"], { home: other });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^dev +none +tagged a$/mu);
    expect(stderr).toContain("No gateway is running; from ");
    other.remove();
  });

  test("whose filter is wrong is not saved", async () => {
    const before = readFileSync(file, "utf8");
    const { code, stderr } = await agent(["preset", "save", "bad", "--filter", "web and (x"]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^ {2}web and \(x\n {12}\^$/mu);
    expect(readFileSync(file, "utf8")).toBe(before);
    expect(await agent(["preset", "save", "bad"])).toMatchObject({ code: 2 });
  });
});

describe("a choice", () => {
  test("narrows inspect, run and instructions", async () => {
    expect(await serversOf(["--filter", "web and not demo"])).toEqual(["raw"]);
    const run = ["run", "everything/echo", "message=hi"];
    expect(await agent([...run, "--tags", "web"])).toMatchObject({ code: 0 });
    const outside = await agent([...run, "--tags", "data"]);
    expect(outside).toMatchObject({ code: 2 });
    expect(outside.stderr).toContain("tags data");
    const { stdout } = await agent(["instructions", "--tags", "data"]);
    expect(stdout).toContain("- memory");
    expect(stdout).not.toContain("- everything");
  });

  test("that leaves nothing says so, and how to see all", async () => {
    const { code, stdout, stderr } = await agent(["inspect", "--tags", "nowhere"]);
    expect({ code, stdout }).toEqual({ code: 0, stdout: "" });
    expect(stderr).toContain("No server is chosen by tags nowhere; all of them: agent inspect");
  });

  test("of the project's file counts where the command line says nothing", async () => {
    const project = join(home.folder, "shop");
    mkdirSync(join(project, ".git"), { recursive: true });
    writeFileSync(join(project, ".onedoorrc"), '{"tags": ["data"]}');
    expect(await serversOf([], project)).toEqual(["memory"]);
    const { stderr } = await agent(["inspect"], project);
    expect(stderr.match(/chooses tags data \(--all-servers for all\)/gu)).toHaveLength(1);
    expect(await serversOf(["--tags", "web"], project)).toEqual(["everything", "raw"]);
    expect(await serversOf(["--all-servers"], project)).toEqual(["everything", "memory", "raw"]);
    writeFileSync(join(project, ".onedoorrc"), '{"preset": "gone"}');
    expect(await agent(["inspect"], project)).toMatchObject({ code: 2 });
  });

  test("in the address that was given is kept", async () => {
    expect(await serversOf(["--url", `${gateway.url}/mcp?tags=data`])).toEqual(["memory"]);
  });

  test("among the servers of what is no gateway is refused, and a project's is not looked at", async () => {
    const stranger = await startEverything();
    const project = join(home.folder, "elsewhere");
    mkdirSync(join(project, ".git"), { recursive: true });
    writeFileSync(join(project, ".onedoorrc"), '{"tags": ["data"]}');
    const refused = await agent(["inspect", "--url", stranger.url, "--tags", "data"]);
    expect(refused).toMatchObject({ code: 2 });
    expect(refused.stderr).toContain("is no OneDoor gateway");
    const proxy = await agent(["proxy", "--url", stranger.url, "--mode", "discover"]);
    expect(proxy).toMatchObject({ code: 2 });
    const inspected = await agent(["inspect", "--url", stranger.url], project);
    expect(inspected).toMatchObject({ code: 0 });
    expect(inspected.stderr).not.toContain("chooses");
    await stranger.close();
  });
});
