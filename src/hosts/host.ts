import type { JsonObject } from "../core/json.ts";

/**
 * MCP hosts: the applications in which people already have servers. Where each keeps them on each system, and in which
 * form, as their own documentation says.
 */
export const hostIds = [
  "claude-desktop",
  "claude-code",
  "cursor",
  "vscode",
  "codex",
  "windsurf",
] as const;
export type HostId = (typeof hostIds)[number];

/** This machine, as far as a host's files depend on it; handed in, so that each system can be tested on any. */
export interface Machine {
  platform: NodeJS.Platform;
  home: string;
  /** By name, for `APPDATA`, `XDG_CONFIG_HOME`, `CODEX_HOME`, `CLAUDE_CONFIG_DIR`, … */
  environment: Readonly<Record<string, string | undefined>>;
}

/** A file in which a host keeps servers. */
export interface HostFile {
  host: HostId;
  scope: "user" | "project";
  /** Absolute. */
  path: string;
}

/** A server that a host, or a pasted snippet, has: in the form of our configuration (`mcpServers`). */
export interface FoundServer {
  name: string;
  /** With `${NAME}` references in our form; what has no place in our configuration is left out, and named in `notes`. */
  entry: JsonObject;
  /** What was changed or left out on the way, a sentence each; never with a value in it. */
  notes: readonly string[];
}

/** Something that looks like a server and cannot be taken. */
export interface SkippedServer {
  name: string;
  /** Why, a sentence without values. */
  reason: string;
}

export interface FoundServers {
  servers: readonly FoundServer[];
  skipped: readonly SkippedServer[];
}
