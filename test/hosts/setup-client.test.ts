import { describe, expect, test } from "vitest";
import { AppError } from "../../src/core/errors.ts";
import type { Machine } from "../../src/hosts/host.ts";
import { setupFile } from "../../src/hosts/setup-client.ts";
import type { SetupClient, SetupScope, SetupWay } from "../../src/hosts/setup-client.ts";

const linux: Machine = { platform: "linux", home: "/home/ann", environment: {} };
const mac: Machine = { platform: "darwin", home: "/Users/ann", environment: {} };
const windows: Machine = {
  platform: "win32",
  home: String.raw`C:\Users\ann`,
  environment: { APPDATA: String.raw`C:\Users\ann\AppData\Roaming` },
};

const userFiles: readonly (readonly [
  client: SetupClient,
  way: SetupWay,
  linux: string,
  mac: string,
  windows: string,
])[] = [
  ["claude", "mcp", ".claude.json", ".claude.json", ".claude.json"],
  [
    "claude-desktop",
    "mcp",
    ".config/Claude/claude_desktop_config.json",
    "Library/Application Support/Claude/claude_desktop_config.json",
    "AppData/Roaming/Claude/claude_desktop_config.json",
  ],
  ["codex", "mcp", ".codex/config.toml", ".codex/config.toml", ".codex/config.toml"],
  ["cursor", "mcp", ".cursor/mcp.json", ".cursor/mcp.json", ".cursor/mcp.json"],
  [
    "vscode",
    "mcp",
    ".config/Code/User/mcp.json",
    "Library/Application Support/Code/User/mcp.json",
    "AppData/Roaming/Code/User/mcp.json",
  ],
  [
    "claude",
    "cli",
    ".claude/skills/onedoor/SKILL.md",
    ".claude/skills/onedoor/SKILL.md",
    ".claude/skills/onedoor/SKILL.md",
  ],
  ["codex", "cli", ".codex/AGENTS.md", ".codex/AGENTS.md", ".codex/AGENTS.md"],
  [
    "vscode",
    "cli",
    ".copilot/instructions/onedoor.instructions.md",
    ".copilot/instructions/onedoor.instructions.md",
    ".copilot/instructions/onedoor.instructions.md",
  ],
];

test.each(userFiles)("the file of a user of %s for the way %s", (client, way, ...expected) => {
  const target = { client, way, scope: "user" } as const;
  for (const [index, machine] of [linux, mac, windows].entries()) {
    const { path, root } = setupFile(target, machine, "/srv/project");
    const below = path.slice(machine.home.length + 1).replaceAll("\\", "/");
    expect([path.startsWith(machine.home), below]).toEqual([true, expected[index]]);
    expect(root).toBe(machine.home);
  }
});

test.each<[SetupClient, SetupWay, string]>([
  ["claude", "mcp", ".mcp.json"],
  ["codex", "mcp", ".codex/config.toml"],
  ["cursor", "mcp", ".cursor/mcp.json"],
  ["vscode", "mcp", ".vscode/mcp.json"],
  ["claude", "cli", ".claude/skills/onedoor/SKILL.md"],
  ["codex", "cli", "AGENTS.md"],
  ["cursor", "cli", ".cursor/rules/onedoor.mdc"],
  ["vscode", "cli", ".github/instructions/onedoor.instructions.md"],
])("the file of a project for %s and the way %s", (client, way, expected) => {
  const place = setupFile({ client, way, scope: "project" }, linux, "/srv/project");
  expect(place).toMatchObject({ path: `/srv/project/${expected}`, root: "/srv/project" });
});

test.each<[SetupClient, SetupWay, variable: string, path: string]>([
  ["claude", "mcp", "CLAUDE_CONFIG_DIR", ".claude.json"],
  ["claude", "cli", "CLAUDE_CONFIG_DIR", "skills/onedoor/SKILL.md"],
  ["codex", "mcp", "CODEX_HOME", "config.toml"],
  ["codex", "cli", "CODEX_HOME", "AGENTS.md"],
  ["vscode", "mcp", "XDG_CONFIG_HOME", "Code/User/mcp.json"],
  ["claude-desktop", "mcp", "XDG_CONFIG_HOME", "Claude/claude_desktop_config.json"],
])("%s, %s: the variable %s moves it", (client, way, variable, words) => {
  const machine = { ...linux, environment: { [variable]: "/data/own" } };
  const { path, root } = setupFile({ client, way, scope: "user" }, machine, "/srv/project");
  expect(path).toBe(`/data/own/${words}`);
  expect(path.startsWith(`${root}/`)).toBe(true);
  const relative = { ...linux, environment: { [variable]: "data/own" } };
  expect(setupFile({ client, way, scope: "user" }, relative, "/srv/project").root).toBe(linux.home);
});

describe("what a client does not keep in a file", () => {
  test.each<[SetupClient, SetupScope, SetupWay, RegExp]>([
    ["cursor", "user", "cli", /Cursor keeps the rules of a user in its settings/u],
    ["claude-desktop", "project", "mcp", /Claude Desktop has MCP servers of the user/u],
    ["claude-desktop", "user", "cli", /Claude Desktop has MCP servers of the user/u],
  ])("%s, %s, %s", (client, scope, way, message) => {
    let thrown: unknown;
    try {
      setupFile({ client, scope, way }, linux, "/srv/project");
    } catch (error) {
      thrown = error;
    }
    if (!(thrown instanceof AppError)) throw new Error("it was taken");
    expect(thrown.code).toBe("usage");
    expect(thrown.message).toMatch(message);
    expect(thrown.hint).toMatch(/^agent setup /u);
  });
});
