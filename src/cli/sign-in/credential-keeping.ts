import type { Session } from "../../client/session-login.ts";
import type { GrantedToken, OAuthGrant } from "../../oauth/oauth.ts";
import type { Revocation as GrantRevocation } from "../../oauth/revoke-grant.ts";
import type { Context } from "../context.ts";

/** Renewing and ending what a sign-in brought, where it was got; each is loaded when it is first needed. */
export interface CredentialKeeping {
  /** @throws AppError `auth_rejected` when the authorization server refuses, `unreachable`, `timeout` */
  renewGrant(grant: OAuthGrant, context: Context, signal: AbortSignal): Promise<GrantedToken>;
  revokeGrant(
    grant: OAuthGrant,
    accessToken: string,
    context: Context,
    signal: AbortSignal,
  ): Promise<GrantRevocation>;
  /** @throws AppError `auth_rejected` when the session is over, `unreachable`, `timeout`, … */
  refreshSession(endpoint: string, refreshToken: string, signal: AbortSignal): Promise<Session>;
}

export const credentialKeeping: CredentialKeeping = {
  async renewGrant(grant, context, signal) {
    const { renewGrant } = await import("../../oauth/renew-grant.ts");
    return renewGrant(grant, await oauth(context, signal));
  },
  async revokeGrant(grant, accessToken, context, signal) {
    const { revokeGrant } = await import("../../oauth/revoke-grant.ts");
    return revokeGrant(grant, accessToken, await oauth(context, signal));
  },
  async refreshSession(endpoint, refreshToken, signal) {
    const { refreshSession } = await import("../../client/session-login.ts");
    return refreshSession(endpoint, refreshToken, signal);
  },
};

async function oauth(context: Context, signal: AbortSignal) {
  const { oauthDependencies } = await import("./oauth-dependencies.ts");
  return { ...oauthDependencies(context), signal };
}
