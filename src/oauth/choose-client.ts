import { authenticationFor } from "./client-authentication-choice.ts";
import type { AuthorizationServer, OAuthClient, OAuthDependencies } from "./oauth.ts";
import { refuseWithoutS256 } from "./proof-key.ts";
import { registerClient } from "./register-client.ts";
import type { NewClient } from "./register-client.ts";

export interface WantedClient extends NewClient {
  /**
   * Registered beforehand, or an https URL: the client's metadata document. How it shows itself is chosen here, by what
   * it has and what the server takes.
   */
  given?: OAuthClient | undefined;
  /** Of an earlier sign-in; used for its own issuer only. */
  kept?: { issuer: string; client: OAuthClient } | undefined;
}

/**
 * Chooses who to be at an authorization server (MCP authorization, "Client Registration"): the client that was given, else
 * the one that was kept for this issuer to the letter, else one that is registered now.
 * @throws AppError `usage` when the server wants a client that was registered with it beforehand; `auth_rejected` when it
 *   refuses to register one, or takes no PKCE with S256 and the client is for codes; `unreachable`, `timeout`
 */
export async function chooseClient(
  server: AuthorizationServer,
  { given, kept, ...wanted }: WantedClient,
  deps: OAuthDependencies,
): Promise<OAuthClient> {
  if (wanted.grantTypes.includes("authorization_code")) refuseWithoutS256(server);
  const known = given ?? (kept?.issuer === server.issuer ? kept.client : undefined);
  if (known === undefined) return await registerClient(server, wanted, deps);
  if (known.secret !== undefined) deps.learn(known.secret);
  return given
    ? { ...given, authentication: authenticationFor(given, server.tokenEndpointAuthMethods) }
    : known;
}
