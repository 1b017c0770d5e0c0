import type { OAuthClient, OAuthGrant, SignInTarget } from "./oauth.ts";

/** What a client asks for at a target: a grant, before anything is granted. */
export function grantOf(
  type: OAuthGrant["type"],
  { server, resource, scope }: SignInTarget,
  client: OAuthClient,
): OAuthGrant {
  const { issuer, tokenEndpoint, revocationEndpoint } = server;
  return { type, issuer, tokenEndpoint, revocationEndpoint, resource, scope, client };
}
