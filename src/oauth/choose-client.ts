import { AppError } from "../core/errors.ts";
import { chooseClientAuthentication } from "./choose-client-authentication.ts";
import { quoteForeign } from "./foreign-text.ts";
import type { AuthorizationServer, OAuthClient, OAuthDependencies } from "./oauth.ts";
import { refuseWithoutPkce } from "./refuse-without-pkce.ts";
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
 *   refuses to register one, takes no PKCE with S256 and the client is for codes, or was given a client that an earlier
 *   sign-in showed to another issuer; `unreachable`, `timeout`
 */
export async function chooseClient(
  server: AuthorizationServer,
  { given, kept, ...wanted }: WantedClient,
  deps: OAuthDependencies,
): Promise<OAuthClient> {
  if (wanted.grantTypes.includes("authorization_code")) refuseWithoutPkce(server);
  // What proves a client to one issuer is not shown to whatever other one a server names today.
  if (given !== undefined && kept?.client.id === given.id && kept.issuer !== server.issuer) {
    throw new AppError(
      "auth_rejected",
      `This client was signed in at ${quoteForeign(kept.issuer)}, and the server names ${quoteForeign(server.issuer)} now`,
      { hint: "Where that is right: agent auth logout first, or name it with --issuer" },
    );
  }
  const known = given ?? (kept?.issuer === server.issuer ? kept.client : undefined);
  if (known === undefined) return await registerClient(server, wanted, deps);
  if (known.secret !== undefined) deps.learn(known.secret);
  return given
    ? {
        ...given,
        authentication: chooseClientAuthentication(given, server.tokenEndpointAuthMethods),
      }
    : known;
}
