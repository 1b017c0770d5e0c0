import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Client } from "@modelcontextprotocol/client";
import { StdioClientTransport } from "@modelcontextprotocol/client/stdio";
import { parse } from "smol-toml";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { mainFile, runAgent } from "./support/agent.ts";
import type { AgentResult } from "./support/agent.ts";
import { realServer, startGateway } from "./support/gateway.ts";
import type { RunningGateway } from "./support/gateway.ts";
import { createHome } from "./support/home.ts";
import type { Home } from "./support/home.ts";
import { agentOnTerminal } from "./support/on-terminal.ts";

let home: Home;
let project: string;
let gateway: RunningGateway | undefined;
const clients: Client[] = [];
beforeEach(() => {
  home = createHome();
  project = join(home.folder, "project");
  mkdirSync(project);
});
afterEach(async () => {
  for (const client of clients.splice(0)) await client.close();
  await gateway?.stop();
  gateway = undefined;
  home.remove();
});

interface Entry {
  command: string;
  args: string[];
}

function agent(...args: string[]): Promise<AgentResult> {
  return runAgent(args, { home, cwd: project });
}

async function serve(): Promise<void> {
  gateway = await startGateway(home, { mcpServers: { everything: realServer("everything") } });
  await agent("wait");
  await agent("auth", "login", "--local");
}

/** The program in npx's place: what npx would fetch is the one that is built here. */
function started({ command, args }: Entry): Entry {
  if (command !== "npx") return { command, args };
  const [yes, name, ...words] = args;
  expect([yes, name]).toEqual(["-y", "@onedoor/agent"]);
  return { command: process.execPath, args: [mainFile, ...words] };
}

/** As the client does who reads the file: nothing of a shell's environment but the home. */
async function clientOf(entry: Entry): Promise<Client> {
  const { HOME = "", XDG_RUNTIME_DIR = "", DBUS_SESSION_BUS_ADDRESS = "" } = home.env;
  const transport = new StdioClientTransport({
    ...started(entry),
    env: { HOME, XDG_RUNTIME_DIR, DBUS_SESSION_BUS_ADDRESS },
    cwd: home.folder,
    stderr: "ignore",
  });
  const client = new Client({ name: "desk", version: "1" });
  clients.push(client);
  await client.connect(transport);
  return client;
}

async function echoOf(entry: Entry): Promise<unknown> {
  const client = await clientOf(entry);
  const params = { name: "everything__echo", arguments: { message: "set up" } };
  return (await client.callTool(params)).content;
}

const echoed = [{ type: "text", text: "Echo: set up" }];

function jsonEntry(file: string, key = "mcpServers"): Entry {
  return JSON.parse(readFileSync(file, "utf8"))[key].onedoor;
}

/** All that is in files of the home, but for the key ring and what the gateway keeps. */
function textsOfHome(): string[] {
  return readdirSync(home.folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(home.folder, name))
    .filter((file) => !file.startsWith(home.configDir))
    .filter((file) => !file.startsWith(home.stateDir) || file.includes("/setup/"))
    .filter((file) => statSync(file).isFile())
    .map((file) => readFileSync(file, "utf8"));
}

describe("what is written starts, and calls a tool through the running gateway", () => {
  test("Claude Code in a project, by npx", async () => {
    await serve();
    const set = await agent("setup", "claude", "--scope", "project", "--yes");
    expect([set.code, set.stderr]).toEqual([0, expect.stringContaining("trust")]);
    const entry = jsonEntry(join(project, ".mcp.json"));
    expect(entry.command).toBe("npx");
    expect(await echoOf(entry)).toEqual(echoed);
  });

  test("a user's Claude Code, Cursor, VS Code and Codex, by the program's own path", async () => {
    await serve();
    const files = {
      claude: [".claude.json", "mcpServers"],
      cursor: [".cursor/mcp.json", "mcpServers"],
      vscode: [".config/Code/User/mcp.json", "servers"],
    } as const;
    for (const [client, [file, key]] of Object.entries(files)) {
      expect((await agent("setup", client, "--yes")).code).toBe(0);
      const entry = jsonEntry(join(home.folder, file), key);
      expect([entry.command, entry.args]).toEqual([process.execPath, [mainFile, "proxy"]]);
      expect(await echoOf(entry)).toEqual(echoed);
    }
    expect((await agent("setup", "codex", "--yes")).code).toBe(0);
    const text = readFileSync(join(home.folder, ".codex", "config.toml"), "utf8");
    const { mcp_servers: servers } = parse(text);
    expect(servers).toEqual({ onedoor: { command: process.execPath, args: [mainFile, "proxy"] } });
  });

  test("no token is in any file that is written", async () => {
    await serve();
    const ways = [
      ["claude", "--scope", "project"],
      ["claude", "--scope", "project", "--way", "cli"],
      ["claude"],
      ["claude-desktop"],
      ["codex"],
      ["codex", "--scope", "project", "--way", "cli"],
      ["cursor", "--scope", "project", "--way", "cli"],
      ["vscode", "--way", "cli"],
    ];
    for (const way of ways) expect((await agent("setup", ...way, "--yes")).code).toBe(0);
    const { stdout: token } = await agent("auth", "token");
    expect(token).toMatch(/^od_/u);
    const texts = textsOfHome();
    expect(texts.length).toBeGreaterThanOrEqual(2 * ways.length);
    expect(texts.filter((text) => text.includes(token.trim()) || /od_\w{16}/u.test(text))).toEqual(
      [],
    );
    for (const way of ways) expect((await agent("setup", ...way, "--undo", "--yes")).code).toBe(0);
    expect(readdirSync(project)).toEqual([]);
    expect(readdirSync(home.folder).toSorted()).toEqual([".config", ".local", "project", "run"]);
    expect(readdirSync(join(home.folder, ".config"))).toEqual(["onedoor"]);
  });
});

describe("on a terminal", () => {
  test("the change stands there before the question; no leaves all as it is", async () => {
    const file = join(home.folder, ".claude.json");
    const refused = await agentOnTerminal(home, ["setup", "claude"], [["Write it? [Y/n]", "n\r"]]);
    expect(refused.code).toBe(0);
    expect(refused.shown.indexOf('"onedoor"')).toBeGreaterThan(-1);
    expect(refused.shown.indexOf('"onedoor"')).toBeLessThan(refused.shown.indexOf("Write it?"));
    expect(refused.shown).toContain("Nothing was changed");
    expect(readdirSync(home.folder)).not.toContain(".claude.json");
    const taken = await agentOnTerminal(home, ["setup", "claude"], [["Write it? [Y/n]", "y\r"]]);
    expect([taken.code, jsonEntry(file).args]).toEqual([0, [mainFile, "proxy"]]);
  });

  test("control characters of a client's file do nothing to it", async () => {
    const file = join(project, "AGENTS.md");
    writeFileSync(file, "# Mine \u{1b}[31mred\n");
    const { shown } = await agentOnTerminal(
      { env: home.env, folder: project },
      ["setup", "codex", "--scope", "project", "--way", "cli", "--dry-run"],
      [],
    );
    expect(shown).toContain(String.raw`\x1b[31mred`);
    expect(shown).not.toContain("\u{1b}[31mred");
  });
});

describe("without a terminal", () => {
  test("it needs --yes", async () => {
    const { code, stdout, stderr } = await agent("setup", "claude");
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("--dry-run shows the change, --yes makes it");
    expect(readdirSync(project)).toEqual([]);
  });

  test("what it cannot do ends with 2, in JSON on one line", async () => {
    const { code, stderr } = await agent("setup", "cursor", "--way", "cli", "--json", "--yes");
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ error: { code: "usage" } });
    expect((await agent("setup", "emacs", "--yes")).code).toBe(2);
    expect((await agent("setup")).code).toBe(2);
  });
});
