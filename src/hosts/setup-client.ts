import { posix, win32 } from "node:path";
import { AppError } from "../core/errors.ts";
import { hostFiles } from "./host-files.ts";
import type { HostId, Machine } from "./host.ts";

/** Who can be set up; `claude` is Claude Code. */
export const setupClients = ["claude", "claude-desktop", "codex", "cursor", "vscode"] as const;
export type SetupClient = (typeof setupClients)[number];

/** `project`: for all who work in this folder; `user`: for this user, wherever they work. */
export const setupScopes = ["user", "project"] as const;
export type SetupScope = (typeof setupScopes)[number];

/** `mcp`: an entry that starts `agent proxy`; `cli`: instructions to use the command line. */
export const setupWays = ["mcp", "cli"] as const;
export type SetupWay = (typeof setupWays)[number];

/** How our part stands in a file. */
export type SetupForm =
  /** A member of the object `key`; with `"type": "stdio"`, where the client's own documentation has it. */
  | { kind: "json"; key: "mcpServers" | "servers"; hasType: boolean }
  /** The table `[mcp_servers.<name>]`. */
  | { kind: "toml" }
  /** A marked block in a text of the user's. */
  | { kind: "block" }
  /** The whole file, with this before the text: what the client reads of it. */
  | { kind: "document"; head: string };

export interface SetupFile {
  /** Absolute. */
  path: string;
  /** The folder it belongs below: nothing outside of it is written, wherever links lead. */
  root: string;
  form: SetupForm;
  /** What to do in the client afterwards, or what keeps it from counting; a sentence. */
  afterwards: string;
}

export interface SetupTarget {
  client: SetupClient;
  scope: SetupScope;
  way: SetupWay;
}

const description =
  "Call tools of the MCP servers behind OneDoor with the command `agent`. Use it for whatever needs a tool, a service or data that is not at hand.";
const skill = `---\nname: onedoor\ndescription: ${description}\n---\n`;
const rule = `---\ndescription: ${description}\nalwaysApply: true\n---\n`;
const instructions = `---\nname: OneDoor\ndescription: ${description}\napplyTo: "**"\n---\n`;

/**
 * Which file of a client is written, as the client's own documentation says.
 * @param folder the project's, absolute
 * @throws AppError `usage` where the client keeps such a thing outside of files, or has no such thing
 */
export function setupFile(target: SetupTarget, machine: Machine, folder: string): SetupFile {
  const path = machine.platform === "win32" ? win32 : posix;
  const { words, file, form, afterwards } =
    target.way === "mcp" ? serverPlace(target, machine) : instructionPlace(target);
  const place = file ?? path.join(instructionRoot(target, machine, folder), ...words);
  const home = target.scope === "project" ? folder : machine.home;
  const isBelow = place.startsWith(`${home}${path.sep}`);
  return { path: place, root: isBelow ? home : path.dirname(place), form, afterwards };
}

interface Place {
  /** Below the project's folder, or the user's. */
  words: readonly string[];
  /** Of a user, where servers are kept. */
  file?: string | undefined;
  form: SetupForm;
  afterwards: string;
}

const newSession = "It counts from the next session on";

function serverPlace({ client, scope }: SetupTarget, machine: Machine): Place {
  const user = (host: HostId): string | undefined =>
    scope === "user" ? hostFiles(machine).find((file) => file.host === host)?.path : undefined;
  const servers = { kind: "json", key: "mcpServers", hasType: true } as const;
  switch (client) {
    case "claude": {
      const afterwards =
        scope === "user" ? newSession : "Claude Code asks once whether to trust it";
      return { words: [".mcp.json"], file: user("claude-code"), form: servers, afterwards };
    }
    case "claude-desktop": {
      const file = user("claude-desktop");
      if (file === undefined) throw notOfClaudeDesktop();
      const afterwards = "It counts when Claude Desktop is started anew";
      return { words: [], file, form: { ...servers, hasType: false }, afterwards };
    }
    case "codex": {
      const afterwards =
        scope === "user" ? newSession : "Codex reads it in projects that it was told to trust";
      const words = [".codex", "config.toml"];
      return { words, file: user("codex"), form: { kind: "toml" }, afterwards };
    }
    case "cursor": {
      const afterwards = "Cursor shows it in its settings, where it is turned on and off";
      return { words: [".cursor", "mcp.json"], file: user("cursor"), form: servers, afterwards };
    }
    case "vscode": {
      const afterwards = "VS Code starts it by the command MCP: List Servers";
      const form = { ...servers, key: "servers" } as const;
      return { words: [".vscode", "mcp.json"], file: user("vscode"), form, afterwards };
    }
  }
}

/** @throws AppError `usage` */
function instructionPlace({ client, scope }: SetupTarget): Place {
  switch (client) {
    case "claude":
      return {
        words: ["skills", "onedoor", "SKILL.md"],
        form: { kind: "document", head: skill },
        afterwards: newSession,
      };
    case "claude-desktop":
      throw notOfClaudeDesktop();
    case "codex":
      return { words: ["AGENTS.md"], form: { kind: "block" }, afterwards: newSession };
    case "cursor":
      if (scope === "project") {
        const words = [".cursor", "rules", "onedoor.mdc"];
        return { words, form: { kind: "document", head: rule }, afterwards: newSession };
      }
      throw new AppError(
        "usage",
        "Cursor keeps the rules of a user in its settings, not in a file",
        { hint: "agent setup cursor --way cli --scope project, in the folder of a project" },
      );
    case "vscode":
      return {
        words: [
          scope === "project" ? ".github" : ".copilot",
          "instructions",
          "onedoor.instructions.md",
        ],
        form: { kind: "document", head: instructions },
        afterwards: newSession,
      };
  }
}

function instructionRoot(
  { client, scope, way }: SetupTarget,
  { platform, home, environment }: Machine,
  folder: string,
): string {
  const path = platform === "win32" ? win32 : posix;
  const own = (name: string, otherwise: string): string => {
    const value = environment[name];
    return value !== undefined && path.isAbsolute(value) ? value : path.join(home, otherwise);
  };
  if (way === "cli" && client === "claude") {
    return scope === "project" ? path.join(folder, ".claude") : own("CLAUDE_CONFIG_DIR", ".claude");
  }
  if (scope === "project") return folder;
  return client === "codex" ? own("CODEX_HOME", ".codex") : home;
}

function notOfClaudeDesktop(): AppError {
  return new AppError("usage", "Claude Desktop has MCP servers of the user, and nothing else", {
    hint: "agent setup claude-desktop --scope user --way mcp",
  });
}
