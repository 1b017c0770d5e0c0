import { renewsItself } from "../oauth/oauth.ts";
import type { OAuthGrant } from "../oauth/oauth.ts";

/** What a credential store keeps for one profile. */
export interface StoredCredential {
  /** The bearer that requests show. */
  token: string;
  /** How an OAuth token is renewed and revoked. */
  oauth?: OAuthGrant | undefined;
  /** How a session of `POST /auth/login` is renewed: by its refresh token, at the server itself. */
  session?: { refreshToken: string } | undefined;
}

/** Whether its token can be got again without a person, by what is kept with it. */
export function canRenew({ oauth, session }: StoredCredential): boolean {
  return session !== undefined || (oauth !== undefined && renewsItself(oauth));
}
