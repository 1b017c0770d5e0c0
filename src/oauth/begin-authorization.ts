import {
  AuthorizationResponseError,
  OperationProcessingError,
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomState,
  validateAuthResponse,
} from "oauth4webapi";
import { AppError } from "../core/errors.ts";
import { OAuthRefusal, nonsense, sayRefusal } from "./answer-failure.ts";
import { grantOf } from "./grant-of.ts";
import type { GrantedToken, OAuthClient, OAuthDependencies, SignInTarget } from "./oauth.ts";
import { prepareAsking } from "./prepare-asking.ts";
import type { Asking } from "./prepare-asking.ts";
import { readToken } from "./read-token.ts";
import { refuseWithoutPkce } from "./refuse-without-pkce.ts";
import { splitScope } from "./scope-list.ts";
import { hostOf } from "./sign-in-address.ts";

export interface AuthorizationBegun {
  /** What the person opens: https, or http on this machine. */
  url: URL;
  /** What the callback of this sign-in carries as its `state`. */
  state: string;
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
  target: SignInTarget,
  client: OAuthClient,
  redirectUri: string,
  deps: OAuthDependencies,
): Promise<AuthorizationBegun> {
  const { server, resource } = target;
  const { authorizationEndpoint, issuer } = server;
  if (authorizationEndpoint === undefined) {
    throw new AppError("usage", `${hostOf(issuer)} offers no sign-in through a browser`);
  }
  refuseWithoutPkce(server);
  const asking = await prepareAsking(server, client, deps);
  const state = generateRandomState();
  const verifier = generateRandomCodeVerifier();
  deps.learn(verifier);
  const url = new URL(authorizationEndpoint);
  const parameters = {
    client_id: client.id,
    redirect_uri: redirectUri,
    state,
    code_challenge: await calculatePKCECodeChallenge(verifier),
    ...parametersOf(target),
  };
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);

  let finished = false;
  return {
    url,
    state,
    async finish(callback) {
      if (finished) throw new AppError("internal", "A sign-in was finished twice");
      finished = true;
      for (const code of callback.searchParams.getAll("code")) deps.learn(code);
      const response = await authorizationCodeGrantRequest(
        asking.metadata,
        asking.client,
        asking.authentication,
        readCallback(callback, redirectUri, state, asking),
        redirectUri,
        verifier,
        { ...asking.options, additionalParameters: { resource } },
      );
      return await readToken(response, grantOf("authorization_code", target, client), deps);
    },
  };
}

/** What is asked for at a target, whoever asks. */
function parametersOf({ resource, scope }: SignInTarget): Record<string, string> {
  return {
    response_type: "code",
    code_challenge_method: "S256",
    resource,
    ...(scope !== undefined && { scope }),
    // OpenID Connect Core §11: without the person's consent `offline_access` is ignored.
    ...(splitScope(scope).includes("offline_access") && { prompt: "consent" }),
  };
}

/** What of a callback is looked at; what else a server adds to it is nobody's concern. */
const known: ReadonlySet<string> = new Set(["code", "state", "iss", "error", "error_description"]);

/**
 * Checks that a callback answers one request (RFC 6749 §4.1.2, RFC 9207 §2.4), before any of what it says is used: what
 * is not from this server is not even shown.
 * @returns its code, as the token request takes it
 */
function readCallback(
  callback: URL,
  redirectUri: string,
  state: string,
  { metadata, client }: Asking,
): URLSearchParams {
  const host = hostOf(metadata.issuer);
  if (placeOf(callback) !== placeOf(new URL(redirectUri))) {
    throw foreign(`${host} sent the browser to another address than was asked for`);
  }
  const parameters = [...callback.searchParams].filter(([name]) => known.has(name));
  let answer: URLSearchParams;
  try {
    answer = validateAuthResponse(metadata, client, new URLSearchParams(parameters), state);
  } catch (error) {
    if (error instanceof AuthorizationResponseError) {
      const refusal = { error: error.error, description: error.error_description };
      throw new OAuthRefusal(`${host} refused the sign-in: ${sayRefusal(refusal)}`, refusal);
    }
    if (!(error instanceof OperationProcessingError)) throw error;
    // It names the parameter and no value; its cause holds them, and is not handed on.
    throw foreign(
      `An answer came that does not belong to this sign-in at ${host}: ${error.message}`,
    );
  }
  const [code, ...others] = answer.getAll("code");
  if (!code || others.length > 0) {
    throw nonsense(metadata.issuer, "its answer to the sign-in does not hold one code");
  }
  return answer;
}

function placeOf({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

function foreign(message: string): AppError {
  return new AppError("auth_rejected", message, {
    hint: "Nothing of it was used; somebody may be trying to sign you in as somebody else. Try again",
  });
}
