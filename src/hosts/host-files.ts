import { posix, win32 } from "node:path";
import { hostIds } from "./host.ts";
import type { HostFile, HostId, Machine } from "./host.ts";

/** As in documentation, for people. */
export const hostNames: Readonly<Record<HostId, string>> = {
  "claude-desktop": "Claude Desktop",
  "claude-code": "Claude Code",
  cursor: "Cursor",
  vscode: "VS Code",
  codex: "Codex",
  windsurf: "Windsurf",
};

interface Places {
  join: (this: void, ...parts: string[]) => string;
  home: string;
  /** Where programs keep what is configured: `~/.config`, `~/Library/Application Support`, `%APPDATA%`. */
  configuration: string;
  /** `%LOCALAPPDATA%`; undefined elsewhere. */
  local: string | undefined;
  variable: (this: void, name: string) => string | undefined;
}

/**
 * Where each host keeps the servers of a user on this machine, whether or not there is such a file: the places that its
 * documentation names, in the order in which they are looked at.
 */
export function hostFiles(machine: Machine): HostFile[] {
  const places = placesOf(machine);
  if (places === undefined) return [];
  return hostIds.flatMap((host) =>
    files[host](places).map((path) => ({ host, scope: "user", path })),
  );
}

const files: Readonly<Record<HostId, (places: Places) => string[]>> = {
  // https://modelcontextprotocol.io/docs/develop/connect-local-servers (macOS, Windows); the builds for Linux, and
  // Electron's userData (https://www.electronjs.org/docs/latest/api/app#appgetpathname), keep it in ~/.config/Claude.
  // From the Microsoft Store, %APPDATA% is redirected into the package's own folder:
  // https://learn.microsoft.com/windows/msix/desktop/desktop-to-uwp-behind-the-scenes
  "claude-desktop": ({ join, configuration, local }) => [
    join(configuration, "Claude", "claude_desktop_config.json"),
    ...(local === undefined
      ? []
      : [
          join(
            local,
            "Packages",
            "Claude_pzs8sxrjxfjjc",
            "LocalCache",
            "Roaming",
            "Claude",
            "claude_desktop_config.json",
          ),
        ]),
  ],
  // https://code.claude.com/docs/en/mcp#mcp-installation-scopes (user and local scope), and
  // https://code.claude.com/docs/en/env-vars (CLAUDE_CONFIG_DIR).
  "claude-code": ({ join, home, variable }) => [
    join(variable("CLAUDE_CONFIG_DIR") ?? home, ".claude.json"),
  ],
  // https://cursor.com/docs/context/mcp#configuration-locations
  cursor: ({ join, home }) => [join(home, ".cursor", "mcp.json")],
  // https://code.visualstudio.com/docs/copilot/reference/mcp-configuration (mcp.json in the user profile),
  // https://code.visualstudio.com/docs/configure/settings#_settings-file-locations (where that is);
  // https://code.visualstudio.com/updates/v1_102 moved the servers out of settings.json.
  vscode: ({ join, configuration }) =>
    ["Code", "Code - Insiders"].flatMap((edition) =>
      ["mcp.json", "settings.json"].map((name) => join(configuration, edition, "User", name)),
    ),
  // https://developers.openai.com/codex/mcp and https://developers.openai.com/codex/config-reference (CODEX_HOME)
  codex: ({ join, home, variable }) => [
    join(variable("CODEX_HOME") ?? join(home, ".codex"), "config.toml"),
  ],
  // https://docs.windsurf.com/windsurf/cascade/mcp, and of the plugins: https://docs.windsurf.com/plugins/cascade/mcp
  windsurf: ({ join, home }) => [
    join(home, ".codeium", "windsurf", "mcp_config.json"),
    join(home, ".codeium", "mcp_config.json"),
  ],
};

function placesOf({ platform, home, environment }: Machine): Places | undefined {
  const path = platform === "win32" ? win32 : posix;
  if (!path.isAbsolute(home)) return undefined;
  const join = (...parts: string[]): string => path.join(...parts);
  const variable = (name: string): string | undefined => {
    const value = environment[name];
    return value !== undefined && path.isAbsolute(value) ? value : undefined;
  };
  const common = { join, home, variable };
  if (platform === "win32") {
    return {
      ...common,
      configuration: variable("APPDATA") ?? join(home, "AppData", "Roaming"),
      local: variable("LOCALAPPDATA") ?? join(home, "AppData", "Local"),
    };
  }
  const configuration =
    platform === "darwin"
      ? join(home, "Library", "Application Support")
      : (variable("XDG_CONFIG_HOME") ?? join(home, ".config"));
  return { ...common, configuration, local: undefined };
}

/** A file that somebody named: whose it is, as far as its name says. */
export interface NamedFile {
  host: HostId | undefined;
  scope: "user" | "project";
  path: string;
  /** The project that it belongs to. */
  folder?: string | undefined;
}

/** What kind of file a path leads to. @param path absolute */
export function namedFile(path: string, machine: Machine): NamedFile {
  const known = hostFiles(machine).find((file) => file.path === path);
  if (known !== undefined) return known;
  const places = machine.platform === "win32" ? win32 : posix;
  const name = places.basename(path);
  const parent = places.dirname(path);
  const within = `${places.basename(parent)}/${name}`;
  // https://code.claude.com/docs/en/mcp#project-scope
  if (name === ".mcp.json") return { host: "claude-code", scope: "project", path, folder: parent };
  const host = projectHosts.get(within);
  if (host !== undefined) return { host, scope: "project", path, folder: places.dirname(parent) };
  return { host: userHosts.get(name), scope: "user", path };
}

const projectHosts: ReadonlyMap<string, HostId> = new Map([
  // https://cursor.com/docs/context/mcp#configuration-locations
  [".cursor/mcp.json", "cursor"],
  // https://code.visualstudio.com/docs/copilot/reference/mcp-configuration
  [".vscode/mcp.json", "vscode"],
  [".vscode/settings.json", "vscode"],
  // https://developers.openai.com/codex/mcp
  [".codex/config.toml", "codex"],
]);

const userHosts: ReadonlyMap<string, HostId> = new Map([
  ["claude_desktop_config.json", "claude-desktop"],
  [".claude.json", "claude-code"],
  ["mcp_config.json", "windsurf"],
  ["config.toml", "codex"],
]);
