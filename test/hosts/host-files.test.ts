import { describe, expect, it } from "vitest";
import { hostFiles, namedFile } from "../../src/hosts/host-files.ts";
import type { Machine } from "../../src/hosts/host.ts";

const linux: Machine = { platform: "linux", home: "/home/ada", environment: {} };
const mac: Machine = { platform: "darwin", home: "/Users/ada", environment: {} };
const windows: Machine = {
  platform: "win32",
  home: String.raw`C:\Users\ada`,
  environment: {
    APPDATA: String.raw`C:\Users\ada\AppData\Roaming`,
    LOCALAPPDATA: String.raw`C:\Users\ada\AppData\Local`,
  },
};

function paths(machine: Machine): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const { host, path } of hostFiles(machine)) (found[host] ??= []).push(path);
  return found;
}

describe("where hosts keep a user's servers", () => {
  it("on Linux", () => {
    expect(paths(linux)).toEqual({
      "claude-desktop": ["/home/ada/.config/Claude/claude_desktop_config.json"],
      "claude-code": ["/home/ada/.claude.json"],
      cursor: ["/home/ada/.cursor/mcp.json"],
      vscode: [
        "/home/ada/.config/Code/User/mcp.json",
        "/home/ada/.config/Code/User/settings.json",
        "/home/ada/.config/Code - Insiders/User/mcp.json",
        "/home/ada/.config/Code - Insiders/User/settings.json",
      ],
      codex: ["/home/ada/.codex/config.toml"],
      windsurf: [
        "/home/ada/.codeium/windsurf/mcp_config.json",
        "/home/ada/.codeium/mcp_config.json",
      ],
    });
  });

  it("on macOS", () => {
    const support = "/Users/ada/Library/Application Support";
    expect(paths(mac)).toEqual({
      "claude-desktop": [`${support}/Claude/claude_desktop_config.json`],
      "claude-code": ["/Users/ada/.claude.json"],
      cursor: ["/Users/ada/.cursor/mcp.json"],
      vscode: [
        `${support}/Code/User/mcp.json`,
        `${support}/Code/User/settings.json`,
        `${support}/Code - Insiders/User/mcp.json`,
        `${support}/Code - Insiders/User/settings.json`,
      ],
      codex: ["/Users/ada/.codex/config.toml"],
      windsurf: [
        "/Users/ada/.codeium/windsurf/mcp_config.json",
        "/Users/ada/.codeium/mcp_config.json",
      ],
    });
  });

  it("on Windows", () => {
    const home = String.raw`C:\Users\ada`;
    const roaming = String.raw`C:\Users\ada\AppData\Roaming`;
    expect(paths(windows)).toEqual({
      "claude-desktop": [
        String.raw`${roaming}\Claude\claude_desktop_config.json`,
        String.raw`${home}\AppData\Local\Packages\Claude_pzs8sxrjxfjjc\LocalCache\Roaming\Claude\claude_desktop_config.json`,
      ],
      "claude-code": [String.raw`${home}\.claude.json`],
      cursor: [String.raw`${home}\.cursor\mcp.json`],
      vscode: [
        String.raw`${roaming}\Code\User\mcp.json`,
        String.raw`${roaming}\Code\User\settings.json`,
        String.raw`${roaming}\Code - Insiders\User\mcp.json`,
        String.raw`${roaming}\Code - Insiders\User\settings.json`,
      ],
      codex: [String.raw`${home}\.codex\config.toml`],
      windsurf: [
        String.raw`${home}\.codeium\windsurf\mcp_config.json`,
        String.raw`${home}\.codeium\mcp_config.json`,
      ],
    });
    expect(paths({ ...windows, environment: {} })).toEqual(paths(windows));
  });

  it("where variables say so, if they name a folder from the root", () => {
    const environment = {
      XDG_CONFIG_HOME: "/etc/ada",
      CODEX_HOME: "/srv/codex",
      CLAUDE_CONFIG_DIR: "/srv/claude",
    };
    expect(paths({ ...linux, environment })).toMatchObject({
      "claude-desktop": ["/etc/ada/Claude/claude_desktop_config.json"],
      "claude-code": ["/srv/claude/.claude.json"],
      codex: ["/srv/codex/config.toml"],
    });
    const relative = { XDG_CONFIG_HOME: "etc", CODEX_HOME: "", CLAUDE_CONFIG_DIR: "." };
    expect(paths({ ...linux, environment: relative })).toEqual(paths(linux));
    expect(hostFiles({ ...linux, home: "" })).toEqual([]);
  });
});

describe("a file that somebody names", () => {
  it.each([
    ["/srv/app/.mcp.json", { host: "claude-code", scope: "project", folder: "/srv/app" }],
    ["/srv/app/.cursor/mcp.json", { host: "cursor", scope: "project", folder: "/srv/app" }],
    ["/srv/app/.vscode/mcp.json", { host: "vscode", scope: "project", folder: "/srv/app" }],
    ["/srv/app/.codex/config.toml", { host: "codex", scope: "project", folder: "/srv/app" }],
    ["/home/ada/.cursor/mcp.json", { host: "cursor", scope: "user" }],
    ["/mnt/old/claude_desktop_config.json", { host: "claude-desktop", scope: "user" }],
    ["/mnt/old/.claude.json", { host: "claude-code", scope: "user" }],
    ["/tmp/any.json", { host: undefined, scope: "user" }],
  ])("is known by its place: %s", (path, expected) => {
    expect(namedFile(path, linux)).toEqual({ path, ...expected });
  });

  it("is known on Windows too", () => {
    const path = String.raw`D:\app\.vscode\mcp.json`;
    expect(namedFile(path, windows)).toEqual({
      host: "vscode",
      scope: "project",
      path,
      folder: String.raw`D:\app`,
    });
  });
});
