import type { SignInTarget } from "../../../../../src/oauth/oauth.ts";

/** oidc-provider as its metadata describes it. */
export function targetOf(issuer: string): SignInTarget {
  return {
    server: {
      issuer,
      tokenEndpoint: `${issuer}/token`,
      authorizationEndpoint: `${issuer}/auth`,
      deviceAuthorizationEndpoint: `${issuer}/device/auth`,
      registrationEndpoint: `${issuer}/reg`,
      revocationEndpoint: `${issuer}/token/revocation`,
      takesS256: true,
      issParameterSupported: true,
      tokenEndpointAuthMethods: [
        "none",
        "client_secret_basic",
        "client_secret_post",
        "private_key_jwt",
      ],
      scopesSupported: ["mcp"],
      grantTypesSupported: undefined,
    },
    resource: "https://mcp.example/team/mcp",
    scope: "mcp",
  };
}
