import type {
  OAuthAnswer,
  OAuthClient,
  OAuthDependencies,
  SignInTarget,
} from "../../src/oauth/oauth.ts";

export const issuer = "https://login.example";
export const target: SignInTarget = {
  server: {
    issuer,
    tokenEndpoint: `${issuer}/token`,
    deviceAuthorizationEndpoint: `${issuer}/device`,
    issParameterSupported: false,
    tokenEndpointAuthMethods: undefined,
    scopesSupported: undefined,
    grantTypesSupported: undefined,
  },
  resource: "https://mcp.example/mcp",
  scope: "a b offline_access",
};
export const client: OAuthClient = { id: "known", authentication: "none" };
export const good = { access_token: "token", token_type: "bearer" };

export type Said = Partial<OAuthAnswer> & { json?: unknown };

/** Each answer once, the last one for ever. */
export function saying(...answers: Said[]): OAuthDependencies["ask"] {
  let asked = 0;
  return () => {
    const { json, ...answer } = answers[Math.min(asked, answers.length - 1)] ?? {};
    asked += 1;
    const body = json === undefined ? "" : JSON.stringify(json);
    return Promise.resolve({ status: 200, headers: {}, body, ...answer });
  };
}
