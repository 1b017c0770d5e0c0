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
  /** Addresses and networks (CIDR) of the proxies in front: what they say of a client's address is believed. */
  trustedProxies: readonly string[];
  /** Whether `?token=` is a bearer on every protected path, not on `/sse` and `/message` alone. */
  allowQueryToken: boolean;
  /** Absolute paths of PEM files; absent: plain HTTP. */
  tls?: TlsConfiguration | undefined;
  /** The largest body of a request, in bytes. */
  maxBodyBytes: number;
  auth: readonly AuthConfiguration[];
  rateLimit: RateLimitConfiguration;
  /** How long audit rows are kept, in days; absent: for good. */
  auditRetentionDays?: number | undefined;
  servers: ReadonlyMap<string, ServerConfiguration>;
  presets: Presets;
  /** The entries of `mcpServers` as the file has them, before variables are filled in: for the change history. */
  writtenServers: ReadonlyMap<string, JsonObject>;
}

/** Choices of servers that have a name. */
export type Presets = ReadonlyMap<string, Preset>;

/** Which servers a preset chooses: those of which all holds that it says. */
export interface Preset {
  /** One of these names. */
  servers?: readonly string[] | undefined;
  /** One of these tags. */
  tags?: readonly string[] | undefined;
  /** A boolean expression of tags (`core/tag-filter.ts`). */
  filter?: string | undefined;
}

/** Tool calls a minute, for each signed-in user. 0: no limit. */
export interface RateLimitConfiguration {
  rpm: number;
  /** In place of `rpm` for those who hold the role. */
  roles: Readonly<Partial<Record<Role, number>>>;
  /** Beside it, by exposed tool name with `*` and `?`: the first that fits counts for all tools it fits together. */
  tools: readonly { pattern: string; rpm: number }[];
}

export interface TlsConfiguration {
  /** The certificate, and after it those that lead to its root. */
  certFile: string;
  keyFile: string;
}

export type AuthConfiguration =
  | { type: "local" }
  | { type: "token"; tokens: readonly StaticToken[] }
  /** Users with a password in the gateway's own store. */
  | { type: "simple"; users: "own" }
  | { type: "simple"; users: "supabase"; server: SupabaseServer; mapping: IdentityMapping }
  | { type: "bearer"; server: SupabaseServer | IntrospectionServer; mapping: IdentityMapping }
  | { type: "jwt"; rules: JwtRules; mapping: IdentityMapping }
  /**
   * An external authorization server (OAuth 2.1), announced to clients (RFC 9728), whose tokens are checked
   * as with `jwt` or `bearer`.
   */
  | {
      type: "oauth";
      /** As its metadata has it (RFC 8414), to the letter. */
      issuer: string;
      check: JwtRules | IntrospectionServer;
      mapping: IdentityMapping;
    }
  | { type: "none" };

/** An auth server that speaks Supabase's protocol. */
export interface SupabaseServer {
  kind: "supabase";
  /** Of the project, without a slash at its end: `/auth/v1/…` follows. */
  url: string;
  /** The public key of the project; one that may do everything is refused. */
  anonKey: string;
  /** How long an answer about a token is used again, at most until the token expires. */
  cacheMs: number;
}

/** An authorization server that is asked about each token (RFC 7662). */
export interface IntrospectionServer {
  kind: "introspection";
  /** The introspection endpoint; absent: the one in the issuer's metadata. */
  url?: string | undefined;
  /** Whose tokens are good; absent: those of whoever the endpoint calls active. */
  issuer?: string | undefined;
  /** One of these must be among the token's `aud`; empty: not looked at. */
  audience: readonly string[];
  clientId: string;
  clientSecret: string;
  /** As of `SupabaseServer`. */
  cacheMs: number;
}

/** What a JWT must be like (RFC 7519, RFC 8725) to be good. */
export interface JwtRules {
  kind: "jwt";
  issuer: string;
  /** One of these must be among the token's `aud`; never empty. */
  audience: readonly string[];
  /** `alg`s that are accepted; never `none`. */
  algorithms: readonly string[];
  keys:
    | { kind: "jwks"; /** Absent: `jwks_uri` in the issuer's metadata. */ url?: string | undefined }
    /** HMAC, shared with the issuer. */
    | { kind: "secret"; secret: string };
}

/** The keys that lead to a claim: `["app_metadata", "role"]`. */
export type ClaimPath = readonly string[];

/** How what an issuer says of somebody becomes a principal here. */
export interface IdentityMapping {
  claims: {
    user: ClaimPath;
    name?: ClaimPath | undefined;
    /** Holds the id of an organisation; absent: `organizationId` for all. */
    organization?: ClaimPath | undefined;
    /** Holds a text or a list of texts; absent: `role` for all. */
    role?: ClaimPath | undefined;
  };
  /** What the values of the role's claim mean here; absent: they are our roles' own names. */
  roles?: ReadonlyMap<string, Role> | undefined;
  organizationId: string | null;
  /** Of those whose claim says nothing known; null: they have none. */
  role: Role | null;
  /** Scopes of the issuer without which nothing here is allowed (403 `insufficient_scope`). */
  requiredScopes: readonly string[];
}

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

/** What of a server's tools is offered, and how. Names are the server's own, with `*` and `?`. */
export interface OfferedTools {
  /** Empty: all. */
  allow: readonly string[];
  /** Wins over `allow`: such a tool is there for nobody. */
  deny: readonly string[];
  /** By the tool's own name: what is said of it in place of its own description. */
  descriptions: Readonly<Record<string, string>>;
}

/**
 * What happens when a tool, or what a server says of itself, is not what it was (`core/tool-pin.ts`). `off`: the newer
 * one counts from then on; `warn`: that is said until it is approved; `block`: it is withheld until then.
 */
export type PinMode = "off" | "warn" | "block";

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
  tools: OfferedTools;
  pin: PinMode;
  /** What of all this came out of the key ring (`${secret:NAME}`), to be hidden wherever it turns up. */
  secrets?: readonly string[] | undefined;
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
  /** Whether each request carries a token of the gateway's own that says for whom it is made. */
  forwardIdentity: boolean;
}

/** The transport of 2024-11-05: one stream for everything a server says, another address for what it hears. */
export interface SseServerConfiguration extends CommonServerConfiguration {
  type: "sse";
  url: string;
  headers: Readonly<Record<string, string>>;
  /** Whether each request carries a token of the gateway's own that says for whom it is made. */
  forwardIdentity: boolean;
}

export type ServerConfiguration =
  | StdioServerConfiguration
  | HttpServerConfiguration
  | SseServerConfiguration;
