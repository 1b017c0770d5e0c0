import { clientCredentialsGrantRequest } from "oauth4webapi";
import { grantOf } from "./grant-of.ts";
import type {
  GrantedToken,
  OAuthClient,
  OAuthDependencies,
  OAuthGrant,
  SignInTarget,
} from "./oauth.ts";
import { prepareAsking } from "./prepare-asking.ts";
import { readToken } from "./read-token.ts";
import { joinScopes, splitScope } from "./scope-list.ts";

/**
 * Gets a token for a client itself (RFC 6749 §4.4), for one resource (RFC 8707).
 * @throws AppError `auth_rejected` when it is refused, `usage` when the client's key is of no use; `unreachable`, `timeout`
 */
export async function getClientCredentials(
  target: SignInTarget,
  client: OAuthClient,
  deps: OAuthDependencies,
): Promise<GrantedToken> {
  // There is no refresh token to ask for.
  const scopes = splitScope(target.scope).filter((scope) => scope !== "offline_access");
  const asked = { ...target, scope: joinScopes(scopes) };
  return await requestClientToken(grantOf("client_credentials", asked, client), deps);
}

/** Gets a token of a client again, with what is known of the first time. */
export async function requestClientToken(
  grant: OAuthGrant,
  deps: OAuthDependencies,
): Promise<GrantedToken> {
  const { resource, scope, client } = grant;
  const asking = await prepareAsking(grant, client, deps);
  const response = await clientCredentialsGrantRequest(
    asking.metadata,
    asking.client,
    asking.authentication,
    { resource, ...(scope !== undefined && { scope }) },
    asking.options,
  );
  const token = await readToken(response, grant, deps);
  return { ...token, grant: { ...token.grant, refreshToken: undefined } };
}
