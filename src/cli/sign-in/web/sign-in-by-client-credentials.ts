import { shownAddress } from "../../../client/http-json.ts";
import { getClientCredentials } from "../../../oauth/get-client-credentials.ts";
import type { GrantedToken, OAuthDependencies, SignInTarget } from "../../../oauth/oauth.ts";
import type { Context } from "../../context.ts";
import type { ClientChoice } from "../ways-in.ts";
import { ownClient } from "./own-client.ts";

/**
 * Signs in as a program, by its own secret or key (RFC 6749 §4.4): nobody is asked.
 * @throws AppError `usage` (no client for this server; its key cannot be read), `auth_rejected`, `unreachable`,
 *   `timeout`
 */
export async function signInByClientCredentials(
  target: SignInTarget,
  choice: ClientChoice,
  { io }: Pick<Context, "io">,
  oauth: OAuthDependencies,
): Promise<GrantedToken> {
  const { host } = new URL(target.server.tokenEndpoint);
  io.note(`Signing in to ${shownAddress(choice.serverUrl)} as a program, at ${host}`);
  const client = await ownClient(target, choice, { grantTypes: ["client_credentials"] }, oauth);
  return getClientCredentials(target, client, oauth);
}
