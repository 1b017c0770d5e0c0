import { AppError } from "../core/errors.ts";
import {
  findAuthorizationServer,
  findOwnAuthorizationServer,
} from "./authorization-server-metadata.ts";
import { quoteForeign } from "./foreign-text.ts";
import type {
  AuthorizationServer,
  BearerChallenge,
  OAuthDependencies,
  SignInTarget,
} from "./oauth.ts";
import { refuseWithoutPkce } from "./refuse-without-pkce.ts";
import { findProtectedResource } from "./protected-resource.ts";
import type { ProtectedResource } from "./protected-resource.ts";
import { joinScopes, splitScope } from "./scope-list.ts";
import { hostOf } from "./sign-in-address.ts";

/** Ways to a token that need no code, and so no PKCE. */
const withoutCode = new Set(["client_credentials", "urn:ietf:params:oauth:grant-type:device_code"]);

/**
 * Finds where to sign in for an MCP server, and what to ask for there (MCP authorization, "Authorization Server
 * Discovery"): by the metadata that its challenge names, else by its well-known addresses, else by its origin's own
 * authorization server (2025-03-26).
 * @param endpoint the server's address, as requests go to it
 * @param issuer the one authorization server that may be used, to the letter; undefined: any
 * @returns undefined when the server offers no OAuth
 * @throws AppError `auth_rejected` when somebody on the way says what cannot be: another server's resource, another
 *   issuer, addresses that are neither https nor on this machine, no PKCE with S256, none of the issuer that was asked
 *   for; `unreachable`, `timeout`
 */
export async function findSignIn(
  endpoint: string,
  challenge: BearerChallenge | undefined,
  deps: OAuthDependencies,
  issuer?: string,
): Promise<SignInTarget | undefined> {
  const named = challenge?.resourceMetadata;
  const lookup = findProtectedResource(endpoint, named, deps);
  const found = await (named === undefined ? unannounced(lookup) : lookup);
  const server = found?.authorizationServers.length
    ? await firstServer(allowed(found, issuer, endpoint), endpoint, deps)
    : usable(await unannounced(findOwnAuthorizationServer(endpoint, deps)));
  if (!server) return undefined;
  if (issuer !== undefined && server.issuer !== issuer) {
    throw otherIssuer(endpoint, [server.issuer], issuer);
  }
  const asked = splitScope(challenge?.scope);
  const scopes = asked.length > 0 ? asked : (found?.scopesSupported ?? []);
  return {
    server,
    resource: found?.resource ?? resourceOf(endpoint),
    scope: joinScopes(withOfflineAccess(scopes, server)),
  };
}

/** At an address that nobody named, an error page or a redirect only says that there is nothing. */
async function unannounced<T>(lookup: Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await lookup;
  } catch (error) {
    const answered =
      error instanceof AppError && error.code === "unreachable" && error.cause === undefined;
    if (!answered) throw error;
    return undefined;
  }
}

/**
 * A resource with the one authorization server that may be used; the others are not even asked for their metadata.
 * @throws AppError `auth_rejected`: it is not among them
 */
function allowed(
  resource: ProtectedResource,
  issuer: string | undefined,
  endpoint: string,
): ProtectedResource {
  if (issuer === undefined) return resource;
  const { authorizationServers } = resource;
  if (authorizationServers.includes(issuer)) return { ...resource, authorizationServers: [issuer] };
  throw otherIssuer(endpoint, authorizationServers, issuer);
}

function otherIssuer(endpoint: string, named: readonly string[], issuer: string): AppError {
  const others = named.length > 1 ? ` and ${named.length - 1} more` : "";
  return new AppError(
    "auth_rejected",
    `${hostOf(endpoint)} sends to ${quoteForeign(named[0] ?? "")}${others} to sign in, not to ${quoteForeign(issuer)}`,
    { hint: "Nothing was sent there; --issuer is compared to the letter" },
  );
}

/** The first that works, in the resource's order; when none does, what is wrong with the first. */
async function firstServer(
  { authorizationServers, address }: ProtectedResource,
  endpoint: string,
  deps: OAuthDependencies,
): Promise<AuthorizationServer> {
  let failure: AppError | undefined;
  for (const issuer of authorizationServers) {
    try {
      const server = usable(await findAuthorizationServer(issuer, address, deps));
      if (server) return server;
      failure ??= new AppError(
        "auth_rejected",
        `${hostOf(endpoint)} sends to ${hostOf(issuer)} to sign in, which is no authorization server`,
        { hint: "The operator of the server can put it right" },
      );
    } catch (error) {
      if (deps.signal.aborted || !(error instanceof AppError)) throw error;
      failure ??= error;
    }
  }
  throw failure ?? new AppError("internal", "No authorization server was tried");
}

/** @throws AppError `auth_rejected` when nothing that it offers can be used safely */
function usable(server: AuthorizationServer | undefined): AuthorizationServer | undefined {
  if (server && server.grantTypesSupported?.some((type) => withoutCode.has(type)) !== true) {
    refuseWithoutPkce(server);
  }
  return server;
}

/**
 * `offline_access` asks for a refresh token; it is asked for where scopes are named and the authorization server has it,
 * and never where it has not (MCP authorization 2026-07-28, "Refresh Tokens").
 */
function withOfflineAccess(scopes: readonly string[], server: AuthorizationServer): string[] {
  const others = scopes.filter((scope) => scope !== "offline_access");
  const { scopesSupported, grantTypesSupported } = server;
  const offered =
    scopesSupported?.includes("offline_access") === true &&
    grantTypesSupported?.includes("refresh_token") !== false;
  return offered && others.length > 0 ? [...others, "offline_access"] : others;
}

/** Of a server that does not say how it calls itself (RFC 8707 §2). */
function resourceOf(endpoint: string): string {
  const { origin, pathname } = new URL(endpoint);
  return pathname === "/" ? origin : `${origin}${pathname}`;
}
