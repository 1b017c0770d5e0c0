/**
 * What the parts of an OAuth 2.1 client here have in common (MCP authorization, 2025-11-25 and 2026-07-28). This room
 * knows no console and no product: requests, time and what is to be kept secret are handed in.
 */

export interface OAuthRequest {
  method: "GET" | "POST";
  url: string;
  headers: Readonly<Record<string, string>>;
  body?: string | undefined;
  signal: AbortSignal;
}

export interface OAuthAnswer {
  status: number;
  /** Lower-case names. */
  headers: Readonly<Record<string, string | undefined>>;
  /** Whole, within a limit of the asker's. */
  body: string;
}

/**
 * Asks a server and follows no redirect.
 * @throws AppError `unreachable` (a redirect and too long an answer among it), `timeout`
 */
export type AskServer = (request: OAuthRequest) => Promise<OAuthAnswer>;

export interface OAuthDependencies {
  ask: AskServer;
  /** Milliseconds since the epoch. */
  now: () => number;
  /** Resolves after so many milliseconds, rejects when the signal aborts; absent: Node's own timer. */
  wait?: ((ms: number, signal: AbortSignal) => Promise<unknown>) | undefined;
  signal: AbortSignal;
  /** Told every secret (tokens, codes, client secrets) before anything can go wrong with it. */
  learn: (secret: string) => void;
  /** The text of a private key file (PEM, PKCS #8, or one JWK). @throws AppError `usage` */
  readKey: (path: string) => Promise<string>;
}

/** What a `WWW-Authenticate: Bearer` challenge says (RFC 6750 §3, RFC 9728 §5.1); foreign text. */
export interface BearerChallenge {
  resourceMetadata?: string | undefined;
  scope?: string | undefined;
  error?: string | undefined;
}

/** An authorization server as its metadata describes it (RFC 8414), checked. */
export interface AuthorizationServer {
  /** To the letter as it names itself. */
  issuer: string;
  tokenEndpoint: string;
  authorizationEndpoint?: string | undefined;
  deviceAuthorizationEndpoint?: string | undefined;
  registrationEndpoint?: string | undefined;
  revocationEndpoint?: string | undefined;
  /** Whether it says that it takes PKCE with S256 (RFC 7636); a sign-in by code is refused where it does not. */
  takesS256?: boolean | undefined;
  /** Whether it says that it names itself in its answers, in `iss` (RFC 9207 §3). */
  issParameterSupported: boolean;
  /** How clients may show themselves at the token endpoint; undefined: `client_secret_basic` (RFC 8414 §2). */
  tokenEndpointAuthMethods: readonly string[] | undefined;
  scopesSupported: readonly string[] | undefined;
  grantTypesSupported: readonly string[] | undefined;
}

/** Where to sign in for a resource, and what to ask for there. */
export interface SignInTarget {
  server: AuthorizationServer;
  /** The resource that tokens are for (RFC 8707). */
  resource: string;
  /** The scopes to ask for, with spaces between; undefined: none are named. */
  scope: string | undefined;
}

export type ClientAuthentication =
  | "none"
  | "client_secret_basic"
  | "client_secret_post"
  | "private_key_jwt";

/** A client of one authorization server; what belongs to one issuer is never shown to another. */
export interface OAuthClient {
  id: string;
  authentication: ClientAuthentication;
  secret?: string | undefined;
  /** Of `private_key_jwt`: where its key lies. */
  keyFile?: string | undefined;
  /** Whether a sign-in registered it dynamically, for itself and its own callback. */
  registered?: boolean | undefined;
}

/** All that renewing and revoking a token needs. It holds secrets: it is kept in a credential store. */
export interface OAuthGrant {
  type: "authorization_code" | "device_code" | "client_credentials";
  issuer: string;
  tokenEndpoint: string;
  revocationEndpoint?: string | undefined;
  resource: string;
  /** As granted, else as asked for. */
  scope?: string | undefined;
  client: OAuthClient;
  refreshToken?: string | undefined;
}

/** An access token and what it came by. */
export interface GrantedToken {
  accessToken: string;
  /** Milliseconds since the epoch, by this machine's clock; absent when the server does not say. */
  expiresAtMs?: number | undefined;
  grant: OAuthGrant;
}

/** Whether a token of this grant can be got again without a person. */
export function renewsItself({ type, refreshToken }: OAuthGrant): boolean {
  return type === "client_credentials" || refreshToken !== undefined;
}
