import { shownAddress } from "../../../client/http-json.ts";
import { getClientCredentials } from "../../../oauth/get-client-credentials.ts";
import type { GrantedToken, OAuthDependencies, SignInTarget } from "../../../oauth/oauth.ts";
import type { Context } from "../../context.ts";
import type { ClientChoice } from "../ways-in.ts";
import { ownClient } from "./own-client.ts";
import { sayPlace, signInPlace } from "./sign-in-place.ts";

/**
 * Signs in as a program, by its own secret or key (RFC 6749 §4.4): nobody is asked.
 * @throws AppError `usage` (no client for this server; its key cannot be read), `auth_rejected`, `unreachable`,
 *   `timeout`
 */
export async function signInByClientCredentials(
  target: SignInTarget,
  choice: ClientChoice,
  context: Context,
  oauth: OAuthDependencies,
): Promise<GrantedToken> {
  const place = sayPlace(signInPlace(target.server.tokenEndpoint, target.server));
  context.io.note(`Signing in to ${shownAddress(choice.serverUrl)} as a program, at ${place}`);
  const client = await ownClient(
    target,
    choice,
    { grantTypes: ["client_credentials"] },
    context,
    oauth,
  );
  return getClientCredentials(target, client, oauth);
}
