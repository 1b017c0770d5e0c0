import type { JsonObject } from "./json.ts";
import type { Role } from "./principal.ts";

/**
 * The configuration after reading: defaults applied, `${NAME}` filled in. `config/` makes it from the
 * file; everything else only reads it.
 */
export interface Configuration {
  /** Absolute path of the file; absent when the gateway started without one. */
  file?: string | undefined;
  host: string;
  port: number;
  externalUrl?: string | undefined;
  allowedHosts: readonly string[];
  allowedOrigins: readonly string[];
  /** The largest body of a request, in bytes. */
  maxBodyBytes: number;
  auth: readonly AuthConfiguration[];
  rateLimit: RateLimitConfiguration;
  /** How long audit rows are kept, in days; absent: for good. */
  auditRetentionDays?: number | undefined;
  servers: ReadonlyMap<string, ServerConfiguration>;
  /** The entries of `mcpServers` as the file has them, before variables are filled in: for the change history. */
  writtenServers: ReadonlyMap<string, JsonObject>;
}

/** Tool calls a minute, for each signed-in user. 0: no limit. */
export interface RateLimitConfiguration {
  rpm: number;
  /** In place of `rpm` for those who hold the role. */
  roles: Readonly<Partial<Record<Role, number>>>;
  /** Beside it, by exposed tool name with `*` and `?`: the first that fits counts for all tools it fits together. */
  tools: readonly { pattern: string; rpm: number }[];
}

export type AuthConfiguration =
  | { type: "local" }
  | { type: "token"; tokens: readonly StaticToken[] }
  | { type: "none" };

/** One token of the configuration. */
export interface StaticToken {
  /** Who shows it: the principal's user id. */
  name: string;
  token: string;
  role: Role;
  /** The organisation its bearer acts in; null: in none. */
  organizationId: string | null;
}

/** Who may see a server, and which of its tools only read. Names are the server's own, with `*` and `?`. */
export interface ServerAccess {
  read: readonly string[];
  /** Wins over `read`. */
  write: readonly string[];
  /** Ids; empty: the server is there for all. */
  organizations: readonly string[];
  /** Whether `readOnlyHint` of its tools is believed. */
  trustHints: boolean;
}

interface CommonServerConfiguration {
  name: string;
  tags: readonly string[];
  disabled: boolean;
  /** What goes before `__`; empty: the tools keep their own names. */
  prefix: string;
  /** Limit of one call in milliseconds. */
  timeoutMs: number;
  /**
   * `shared`: one connection for all clients, which declares no client capabilities; `session`: one of
   * its own for each client that declares what a server could ask for.
   */
  connection: "shared" | "session";
  /** Whether the file says so; where it does not, `shared` for stdio and `session` for the others. */
  connectionWritten: boolean;
  instructions?: string | undefined;
  access: ServerAccess;
}

export interface StdioServerConfiguration extends CommonServerConfiguration {
  type: "stdio";
  command: string;
  args: readonly string[];
  cwd?: string | undefined;
  /** The child's whole environment: the base variables, `inheritEnv` and `env`, never `ONEDOOR_*`. */
  env: Readonly<Record<string, string>>;
  /** After this long without a request, in milliseconds, it is stopped until the next; absent: never. */
  idleTimeoutMs?: number | undefined;
}

export interface HttpServerConfiguration extends CommonServerConfiguration {
  type: "http";
  url: string;
  headers: Readonly<Record<string, string>>;
}

/** The transport of 2024-11-05: one stream for everything a server says, another address for what it hears. */
export interface SseServerConfiguration extends CommonServerConfiguration {
  type: "sse";
  url: string;
  headers: Readonly<Record<string, string>>;
}

export type ServerConfiguration =
  | StdioServerConfiguration
  | HttpServerConfiguration
  | SseServerConfiguration;
