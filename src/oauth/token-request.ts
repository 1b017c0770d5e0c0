import { allowInsecureRequests, customFetch } from "oauth4webapi";
import type { AuthorizationServer as Metadata, Client, ClientAuth } from "oauth4webapi";
import type { JsonObject } from "../core/json.ts";
import { OAuthRefusal, nonsense, readAnswer } from "./answer-failure.ts";
import { clientAuthentication } from "./client-authentication.ts";
import type {
  AuthorizationServer,
  GrantedToken,
  OAuthAnswer,
  OAuthClient,
  OAuthDependencies,
  OAuthGrant,
} from "./oauth.ts";
import { joinScopes, splitScope } from "./scope-list.ts";
import { isSafeAddress } from "./sign-in-address.ts";

/** No token is longer, in characters: a request's headers would not hold it. */
const maxTokenLength = 64 * 1024;
/** Nothing is good for longer, in seconds (ten years). */
const maxLifetimeSeconds = 10 * 365 * 24 * 60 * 60;
/** How far clocks may be apart before they are the likely reason of a refusal, in milliseconds. */
const clockToleranceMs = 5 * 60 * 1000;

/** What every request to an authorization server is made of, in the words of oauth4webapi. */
export interface Asking {
  metadata: Metadata;
  client: Client;
  authentication: ClientAuth;
  options: {
    [allowInsecureRequests]: true;
    [customFetch]: (url: string, init: FetchInit) => Promise<Response>;
    signal: AbortSignal;
  };
}

interface FetchInit {
  method: string;
  headers: Record<string, string>;
  body?: URLSearchParams | string | null | undefined;
}

/** The endpoints of an authorization server, as far as they are known. */
export type Endpoints = Pick<AuthorizationServer, "issuer" | "tokenEndpoint"> &
  Partial<
    Pick<AuthorizationServer, "deviceAuthorizationEndpoint" | "revocationEndpoint" | "namesItself">
  >;

/**
 * Prepares requests of a client to an authorization server.
 * @throws AppError `usage` when the client cannot show itself, `auth_rejected` when an endpoint is not safe
 */
export async function prepareAsking(
  server: Endpoints,
  client: OAuthClient,
  deps: OAuthDependencies,
): Promise<Asking> {
  const { tokenEndpoint, deviceAuthorizationEndpoint, revocationEndpoint } = server;
  for (const endpoint of [tokenEndpoint, deviceAuthorizationEndpoint, revocationEndpoint]) {
    if (endpoint !== undefined && !isSafeAddress(endpoint)) {
      throw nonsense(
        server.issuer,
        "it names endpoints that are neither https nor on this machine",
      );
    }
  }
  return {
    metadata: {
      issuer: server.issuer,
      token_endpoint: tokenEndpoint,
      ...(deviceAuthorizationEndpoint !== undefined && {
        device_authorization_endpoint: deviceAuthorizationEndpoint,
      }),
      ...(revocationEndpoint !== undefined && { revocation_endpoint: revocationEndpoint }),
      authorization_response_iss_parameter_supported: server.namesItself === true,
    },
    client: { client_id: client.id },
    authentication: await clientAuthentication(client, deps),
    options: {
      // Which plain http is allowed is decided above.
      [allowInsecureRequests]: true,
      [customFetch]: (url, init) => fetchVia(url, init, deps),
      signal: deps.signal,
    },
  };
}

/** Asks for oauth4webapi; what is not an answer of OAuth throws in our words before it comes there. */
async function fetchVia(
  url: string,
  { method, headers, body }: FetchInit,
  { ask, signal }: OAuthDependencies,
): Promise<Response> {
  const answer = await ask({
    method: method === "POST" ? "POST" : "GET",
    url,
    headers,
    body: body?.toString(),
    signal,
  });
  return responseOf(answer);
}

function responseOf({ status, headers, body }: OAuthAnswer): Response {
  const given = new Headers();
  for (const name of ["content-type", "date", "retry-after"]) {
    const value = headers[name];
    if (value !== undefined) given.set(name, value);
  }
  const hasNone = status === 204 || status === 205 || status === 304;
  const sayable = status >= 200 && status <= 599 ? status : 599;
  return new Response(hasNone ? null : body, { status: sayable, headers: given });
}

/**
 * The object that an endpoint answered.
 * @throws AppError as `readAnswer`
 */
export async function objectOf(response: Response, url: string): Promise<JsonObject> {
  return readAnswer(url, {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    body: await response.text(),
  });
}

/**
 * Reads what a token endpoint answered (RFC 6749 §5). An ID token is not looked at: nobody here asks who the person is,
 * and its times would refuse a clock that is an hour off.
 * @param grant what the token came by, with the scope that was asked for; its refresh token stays where no new one came
 * @throws AppError `auth_rejected` when the server refused or its token cannot be used; `unreachable`, `rate_limited`
 */
export async function readToken(
  response: Response,
  grant: OAuthGrant,
  { learn, now }: OAuthDependencies,
): Promise<GrantedToken> {
  const url = grant.tokenEndpoint;
  const json = await refusalExplained(objectOf(response, url), grant.client, now());
  for (const name of ["access_token", "refresh_token", "id_token"]) {
    const secret = json[name];
    if (typeof secret === "string") learn(secret);
  }
  const { access_token: accessToken, token_type: type, refresh_token: refreshToken, scope } = json;
  if (typeof accessToken !== "string" || !isHeaderText(accessToken)) {
    throw nonsense(url, "its token is none that a request can carry");
  }
  if (typeof type !== "string" || type.toLowerCase() !== "bearer") {
    throw nonsense(url, "its token is not of the type Bearer");
  }
  if (refreshToken !== undefined && refreshToken !== null && !isRefreshToken(refreshToken)) {
    throw nonsense(url, "its refresh token is none");
  }
  const lifetime = lifetimeOf(json["expires_in"]);
  const granted = typeof scope === "string" ? joinScopes(splitScope(scope)) : undefined;
  return {
    accessToken,
    ...(lifetime !== undefined && { expiresAtMs: now() + lifetime * 1000 }),
    grant: {
      ...grant,
      scope: granted ?? grant.scope,
      refreshToken: typeof refreshToken === "string" ? refreshToken : grant.refreshToken,
    },
  };
}

/** What a header can carry (RFC 6750 §2.1, generously), and not endlessly. */
function isHeaderText(token: string): boolean {
  return token.length <= maxTokenLength && /^[\x21-\x7e]+$/u.test(token);
}

/** RFC 6749 appendix A.17. */
function isRefreshToken(token: unknown): boolean {
  return (
    typeof token === "string" && token.length <= maxTokenLength && /^[\x20-\x7e]+$/u.test(token)
  );
}

/** Seconds; undefined when the server does not say, or says what cannot be. */
function lifetimeOf(value: unknown): number | undefined {
  const seconds = typeof value === "string" && value.trim() !== "" ? Number(value) : value;
  if (typeof seconds !== "number" || !Number.isFinite(seconds) || seconds <= 0) return undefined;
  return Math.min(seconds, maxLifetimeSeconds);
}

/** A refused signature may be one of another time: then that is said. */
async function refusalExplained<T>(
  asked: Promise<T>,
  client: OAuthClient,
  nowMs: number,
): Promise<T> {
  try {
    return await asked;
  } catch (error) {
    if (!(error instanceof OAuthRefusal) || client.authentication !== "private_key_jwt") {
      throw error;
    }
    const aheadMs = nowMs - Date.parse(error.date ?? "");
    if (!(Math.abs(aheadMs) > clockToleranceMs)) throw error;
    const minutes = Math.round(Math.abs(aheadMs) / 60_000);
    const way = aheadMs > 0 ? "ahead of" : "behind";
    throw new OAuthRefusal(error.message, error.error, error.date, {
      hint: `This machine's clock is ${minutes} minutes ${way} the server's, and what was signed carries the time: set the clock`,
      cause: error,
    });
  }
}
