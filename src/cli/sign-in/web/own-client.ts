import { chooseClient } from "../../../oauth/choose-client.ts";
import type { OAuthClient, OAuthDependencies, SignInTarget } from "../../../oauth/oauth.ts";
import type { Context } from "../../context.ts";
import { hasPerson } from "../../has-person.ts";
import { withSecret } from "../given-client.ts";
import type { ClientChoice } from "../ways-in.ts";

/** As consent pages show it. */
const clientName = "OneDoor agent";

/**
 * The client of one sign-in: the one that was given, that was kept, that is registered now, or, where the server
 * registers nobody, that the person names. One that an earlier sign-in registered is not used again: it was registered
 * for that one's callback, and a server that has forgotten it since would keep the person on a page of its own.
 * @throws AppError `usage` where the server knows only clients that were registered beforehand, and nobody names one
 */
export async function ownClient(
  { server, scope }: SignInTarget,
  choice: Pick<ClientChoice, "given" | "kept">,
  use: { redirectUri?: string; grantTypes: readonly string[] },
  context: Context,
  oauth: OAuthDependencies,
): Promise<OAuthClient> {
  const kept = choice.kept?.client.registered === true ? undefined : choice.kept;
  const isKnown = choice.given !== undefined || kept?.issuer === server.issuer;
  const given =
    isKnown || server.registrationEndpoint !== undefined || !hasPerson(context)
      ? choice.given
      : await askClient(new URL(server.issuer).host, use, context);
  return chooseClient(server, { given, kept, clientName, scope, ...use }, oauth);
}

/** The client that somebody registered there by hand; undefined: the person knows of none. */
async function askClient(
  host: string,
  { redirectUri }: { redirectUri?: string },
  context: Context,
): Promise<OAuthClient | undefined> {
  const back =
    redirectUri === undefined
      ? ""
      : ` Its redirect URI: ${redirectUri} (--callback-port keeps the port)`;
  context.io.note(
    `${host} registers no clients by itself: it wants one that was registered there by hand.${back}`,
    { always: true },
  );
  const { withHiddenInput } = await import("../../hidden-input.ts");
  return withHiddenInput(context, async (ask) => {
    const id = (await ask("Client id:", { shown: true }))?.trim();
    if (id === undefined || id === "") return undefined;
    const secret = (await ask("Client secret (Enter for none):")) ?? "";
    return secret.trim() === ""
      ? { id, authentication: "none" }
      : withSecret(id, secret, "the terminal", context);
  });
}
