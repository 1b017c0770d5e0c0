import { chooseClient } from "../../../oauth/choose-client.ts";
import type { OAuthClient, OAuthDependencies, SignInTarget } from "../../../oauth/oauth.ts";
import type { ClientChoice } from "../ways-in.ts";

/** As consent pages show it. */
const clientName = "OneDoor agent";

/**
 * The client of one sign-in. One that an earlier sign-in registered is not used again: it was registered for that
 * one's callback, and a server that has forgotten it since would keep the person on a page of its own.
 * @throws AppError `usage` where the server knows only clients that were registered beforehand
 */
export async function ownClient(
  { server, scope }: SignInTarget,
  { given, kept }: Pick<ClientChoice, "given" | "kept">,
  use: { redirectUri?: string; grantTypes: readonly string[] },
  oauth: OAuthDependencies,
): Promise<OAuthClient> {
  const lasting = kept?.client.registered === true ? undefined : kept;
  const client = await chooseClient(
    server,
    { given, kept: lasting, clientName, scope, ...use },
    oauth,
  );
  const registered = client.id !== given?.id && client.id !== lasting?.client.id;
  return registered ? { ...client, registered } : client;
}
