import { allowInsecureRequests, customFetch } from "oauth4webapi";
import type { AuthorizationServer as Metadata, Client, ClientAuth } from "oauth4webapi";
import type { JsonObject } from "../core/json.ts";
import { nonsense, readAnswer } from "./answer-failure.ts";
import { clientAuthentication } from "./client-authentication.ts";
import type { AuthorizationServer, OAuthAnswer, OAuthClient, OAuthDependencies } from "./oauth.ts";
import { isSafeAddress } from "./sign-in-address.ts";

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
    Pick<
      AuthorizationServer,
      | "authorizationEndpoint"
      | "deviceAuthorizationEndpoint"
      | "revocationEndpoint"
      | "issParameterSupported"
    >
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
  const { tokenEndpoint, authorizationEndpoint, deviceAuthorizationEndpoint, revocationEndpoint } =
    server;
  for (const endpoint of [
    tokenEndpoint,
    authorizationEndpoint,
    deviceAuthorizationEndpoint,
    revocationEndpoint,
  ]) {
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
      authorization_response_iss_parameter_supported: server.issParameterSupported === true,
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
