import { shownAddress } from "../../client/http-json.ts";
import { AppError } from "../../core/errors.ts";
import type { GrantedToken, SignInTarget } from "../../oauth/oauth.ts";
import type { Context } from "../context.ts";
import type { AuthDependencies } from "./dependencies.ts";
import { givenClient } from "./given-client.ts";
import type { FoundCredential, TokenSourceOptions, TokenTarget } from "./token-source.ts";

/**
 * Gets a token of an authorization server, by the browser, a code for another device, or as a program.
 * @param ask whether a person who has not chosen the browser is asked before it opens
 * @throws AppError what the way throws; a refusal of a person's sign-in with the command that tries again
 */
export async function signInByOAuth(
  way: "web" | "device" | "client",
  found: SignInTarget,
  options: TokenSourceOptions,
  target: TokenTarget,
  context: Context,
  { waysIn }: AuthDependencies,
  ask = false,
): Promise<FoundCredential> {
  const signIn = { ...found, scope: options.scope ?? found.scope };
  const kept = await target.kept();
  const client = {
    serverUrl: shownAddress(target.url),
    login: target.login,
    given: await givenClient(options, way, context),
    // Who names the issuer has said where the client belongs.
    kept: options.issuer === undefined || kept?.issuer === options.issuer ? kept : undefined,
  };
  const wider = widerThan(target.endpoint, found.resource);
  if (wider !== undefined) context.io.note(`The token will be good for all of ${wider}`);
  const { callbackPort } = options;
  switch (way) {
    case "web":
      return granted(way, target, waysIn.web(signIn, { ...client, callbackPort, ask }, context));
    case "device":
      return granted(way, target, waysIn.device(signIn, client, context));
    case "client":
      return granted(way, target, waysIn.clientCredentials(signIn, client, context));
  }
}

/** The resource of a token where it lies above the server's address, so that whoever else is below it is meant too. */
function widerThan(endpoint: string, resource: string): string | undefined {
  if (!URL.canParse(resource)) return undefined;
  const { origin, pathname } = new URL(resource);
  const above = pathname.replace(/\/*$/u, "/");
  const own = new URL(endpoint).pathname.replace(/\/*$/u, "/");
  return own !== above && own.startsWith(above) ? `${origin}${above.slice(0, -1)}` : undefined;
}

async function granted(
  source: "web" | "device" | "client",
  { login }: TokenTarget,
  signingIn: Promise<GrantedToken>,
): Promise<FoundCredential> {
  try {
    const { accessToken, expiresAtMs, grant } = await signingIn;
    return { credential: { token: accessToken, oauth: grant }, source, expiresAtMs };
  } catch (error) {
    const isBare =
      error instanceof AppError && error.code === "auth_rejected" && error.hint === undefined;
    if (!isBare || source === "client") throw error;
    throw new AppError(error.code, error.message, {
      hint: `${login} --${source}`,
      cause: error,
    });
  }
}
