import type { OAuthGrant } from "../../../../src/oauth/oauth.ts";

/** What a server's authorization server gave: `a b`, for a public client, with the first of its refresh tokens. */
export const oauthGrant: OAuthGrant = {
  type: "authorization_code",
  issuer: "https://auth.example.com",
  tokenEndpoint: "https://auth.example.com/token",
  revocationEndpoint: "https://auth.example.com/revoke",
  resource: "https://mcp.example.com/mcp",
  scope: "a b",
  client: { id: "c", authentication: "none" },
  refreshToken: "refresh_0",
};
