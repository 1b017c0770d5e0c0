import { refreshTokenGrantRequest } from "oauth4webapi";
import { AppError } from "../core/errors.ts";
import { requestClientToken } from "./get-client-credentials.ts";
import type { GrantedToken, OAuthDependencies, OAuthGrant } from "./oauth.ts";
import { prepareAsking } from "./prepare-asking.ts";
import { readToken } from "./read-token.ts";
import { hostOf } from "./sign-in-address.ts";

/**
 * Gets a new token of a grant: by client credentials again, else by its refresh token (RFC 6749 §6), which stays the one
 * there is where no new one comes.
 * @throws AppError `auth_rejected` when it is refused, or there is nothing to renew it by; `unreachable`, `timeout`
 */
export async function renewGrant(
  grant: OAuthGrant,
  deps: OAuthDependencies,
): Promise<GrantedToken> {
  const { type, issuer, client, resource, refreshToken } = grant;
  if (type === "client_credentials") return await requestClientToken(grant, deps);
  if (refreshToken === undefined) {
    throw new AppError("auth_rejected", `${hostOf(issuer)} gave nothing to renew this sign-in by`);
  }
  deps.learn(refreshToken);
  const asking = await prepareAsking(grant, client, deps);
  const response = await refreshTokenGrantRequest(
    asking.metadata,
    asking.client,
    asking.authentication,
    refreshToken,
    { ...asking.options, additionalParameters: { resource } },
  );
  return await readToken(response, grant, deps);
}
