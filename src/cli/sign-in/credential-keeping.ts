import type { Session } from "../../client/session-login.ts";
import type { GrantedToken, OAuthGrant } from "../../oauth/oauth.ts";
import type { GrantRevocation } from "../../oauth/revoke-grant.ts";
import type { StoredCredential } from "../../profiles/stored-credential.ts";
import type { Context } from "../context.ts";

/**
 * What became of a credential where it was got: `refresh token`: that alone was revoked; `invalid`: it was not good any
 * more; `kept`: it is not revoked there; `unreachable`: nobody answered; `not asked`: nobody could be.
 */
export type Revocation = GrantRevocation | "invalid" | "not asked";

/** Renewing and ending what a sign-in brought, where it was got; each is loaded when it is first needed. */
export interface CredentialKeeping {
  /** @throws AppError `auth_rejected` when the authorization server refuses, `unreachable`, `timeout` */
  renewGrant(grant: OAuthGrant, context: Context, signal: AbortSignal): Promise<GrantedToken>;
  /**
   * Ends a credential: an OAuth grant at its authorization server, any other at the gateway it is for.
   * @param endpoint that gateway's; undefined: it can be asked nothing, or shall not be
   * @throws what the signal aborts with
   */
  end(
    credential: StoredCredential,
    endpoint: string | undefined,
    context: Context,
    signal: AbortSignal,
  ): Promise<Revocation>;
  /** @throws AppError `auth_rejected` when the session is over, `unreachable`, `timeout`, … */
  refreshSession(
    endpoint: string,
    refreshToken: string,
    context: Context,
    signal: AbortSignal,
  ): Promise<Session>;
}

export const credentialKeeping: CredentialKeeping = {
  async renewGrant(grant, context, signal) {
    const { renewGrant } = await import("../../oauth/renew-grant.ts");
    return renewGrant(grant, await oauth(context, signal));
  },
  async end({ token, oauth: grant }, endpoint, context, signal) {
    if (grant !== undefined) {
      const { revokeGrant } = await import("../../oauth/revoke-grant.ts");
      return revokeGrant(grant, token, await oauth(context, signal));
    }
    if (endpoint === undefined) return "not asked";
    const { revokeToken } = await import("./revoke-token.ts");
    return revokeToken(endpoint, token, signal);
  },
  async refreshSession(endpoint, refreshToken, { now }, signal) {
    const { refreshSession } = await import("../../client/session-login.ts");
    return refreshSession(endpoint, refreshToken, { signal, now });
  },
};

async function oauth(context: Context, signal: AbortSignal) {
  const { oauthDependencies } = await import("./oauth-dependencies.ts");
  return { ...oauthDependencies(context), signal };
}
