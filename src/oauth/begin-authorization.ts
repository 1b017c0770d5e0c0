import {
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomState,
  validateAuthResponse,
} from "oauth4webapi";
import { AppError } from "../core/errors.ts";
import { OAuthRefusal, nonsense, sayRefusal } from "./answer-failure.ts";
import type {
  AuthorizationServer,
  GrantedToken,
  OAuthClient,
  OAuthDependencies,
  SignInTarget,
} from "./oauth.ts";
import { refuseWithoutS256 } from "./proof-key.ts";
import { splitScope } from "./scope-list.ts";
import { hostOf, isSafeAddress } from "./sign-in-address.ts";
import { prepareAsking, readToken } from "./token-request.ts";

export interface AuthorizationBegun {
  /** What the person opens: https, or http on this machine. */
  url: URL;
  /**
   * Takes the callback as it came, and its code to the token endpoint; once.
   * @throws AppError `auth_rejected` when it is no answer to this request, or the person or the server said no
   */
  finish: (callback: URL) => Promise<GrantedToken>;
}

/**
 * Begins a sign-in by code, with PKCE S256 (OAuth 2.1 §4.1) for one resource (RFC 8707).
 * @param redirectUri where the browser comes back to, as it was registered
 * @throws AppError `auth_rejected` when the server cannot do it safely, `usage` when it offers no such sign-in
 */
export async function beginAuthorization(
  { server, resource, scope }: SignInTarget,
  client: OAuthClient,
  redirectUri: string,
  deps: OAuthDependencies,
): Promise<AuthorizationBegun> {
  const { authorizationEndpoint, issuer, tokenEndpoint, revocationEndpoint } = server;
  if (authorizationEndpoint === undefined) {
    throw new AppError("usage", `${hostOf(issuer)} offers no sign-in through a browser`);
  }
  refuseWithoutS256(server);
  if (!isSafeAddress(authorizationEndpoint)) {
    throw nonsense(issuer, "its sign-in page is neither https nor on this machine");
  }
  const asking = await prepareAsking(server, client, deps);
  const state = generateRandomState();
  const verifier = generateRandomCodeVerifier();
  deps.learn(verifier);
  const url = new URL(authorizationEndpoint);
  const parameters = {
    response_type: "code",
    client_id: client.id,
    redirect_uri: redirectUri,
    state,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: "S256",
    resource,
    ...(scope !== undefined && { scope }),
    // OpenID Connect Core §11: without the person's consent `offline_access` is ignored.
    ...(splitScope(scope).includes("offline_access") && { prompt: "consent" }),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);

  let finished = false;
  return {
    url,
    async finish(callback) {
      if (finished) throw new AppError("internal", "A sign-in was finished twice");
      finished = true;
      for (const code of callback.searchParams.getAll("code")) deps.learn(code);
      checkCallback(callback, { server, redirectUri, state });
      const answer = validateAuthResponse(
        asking.metadata,
        asking.client,
        onlyAnswer(callback.searchParams),
        state,
      );
      const response = await authorizationCodeGrantRequest(
        asking.metadata,
        asking.client,
        asking.authentication,
        answer,
        redirectUri,
        verifier,
        { ...asking.options, additionalParameters: { resource } },
      );
      return await readToken(
        response,
        {
          type: "authorization_code",
          issuer,
          tokenEndpoint,
          revocationEndpoint,
          resource,
          scope,
          client,
        },
        deps,
      );
    },
  };
}

/** What a callback says to us; what a server adds to it is nobody's concern. */
function onlyAnswer(parameters: URLSearchParams): URLSearchParams {
  const known = [...parameters].filter(([name]) => ["code", "state", "iss"].includes(name));
  return new URLSearchParams(known);
}

/**
 * Checks that a callback answers one request (RFC 6749 §4.1.2, RFC 9207 §2.4), before any of what it says is used: what
 * is not from this server is not even shown.
 */
function checkCallback(
  callback: URL,
  asked: { server: AuthorizationServer; redirectUri: string; state: string },
): void {
  const { server, redirectUri, state } = asked;
  const parameters = callback.searchParams;
  const host = hostOf(server.issuer);
  if (placeOf(callback) !== placeOf(new URL(redirectUri))) {
    throw foreign(`${host} sent the browser to another address than was asked for`);
  }
  for (const name of ["code", "state", "iss", "error", "response"]) {
    if (parameters.getAll(name).length > 1) {
      throw foreign(`The answer to this sign-in at ${host} says "${name}" more than once`);
    }
  }
  if (parameters.get("state") !== state) {
    throw foreign(`The answer to this sign-in at ${host} belongs to another one (wrong "state")`);
  }
  const iss = parameters.get("iss");
  if (iss === null ? server.namesItself : iss !== server.issuer) {
    const how =
      iss === null ? `does not say who gives it (no "iss")` : `is somebody else's ("iss")`;
    throw foreign(`The answer to this sign-in at ${host} ${how}`);
  }
  const error = parameters.get("error");
  if (error !== null) {
    const said = sayRefusal(error, parameters.get("error_description"));
    throw new OAuthRefusal(`${host} refused the sign-in: ${said}`, error);
  }
  if (!parameters.get("code") || parameters.has("response")) {
    throw nonsense(server.issuer, "its answer to the sign-in holds no code");
  }
}

function placeOf({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

function foreign(message: string): AppError {
  return new AppError("auth_rejected", message, {
    hint: "Nothing of it was used; somebody may be trying to sign you in as somebody else. Try again",
  });
}
