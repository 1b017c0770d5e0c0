import { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { isLoopbackHost } from "../core/url.ts";
import { firstDocument } from "./first-document.ts";
import { quoteForeign } from "./foreign-text.ts";
import type { OAuthDependencies } from "./oauth.ts";
import { wellFormedScopes } from "./scope-list.ts";
import { checkAddress, hostOf } from "./sign-in-address.ts";

/** More authorization servers than a resource has. */
const maxServers = 10;

/** What a server says of itself as a protected resource (RFC 9728 §2), checked. */
export interface ProtectedResource {
  /** To the letter. */
  resource: string;
  /** Issuers, in the server's order; foreign. */
  authorizationServers: readonly string[];
  scopesSupported: readonly string[];
  /** Where this was read. */
  address: string;
}

/** The well-known addresses of a server's metadata: of its path, then of its origin (RFC 9728 §3.1). */
function wellKnownAddresses(endpoint: string): string[] {
  const { origin, pathname } = new URL(endpoint);
  const wellKnown = `${origin}/.well-known/oauth-protected-resource`;
  const path = pathname.replace(/\/+$/u, "");
  return path === "" ? [wellKnown] : [`${wellKnown}${path}`, wellKnown];
}

/**
 * Finds a server's metadata as a protected resource.
 * @param named where the server's challenge says that they are; foreign
 * @returns undefined when there are none
 * @throws AppError `auth_rejected` when they are another server's; `unreachable`, `timeout`
 */
export async function findProtectedResource(
  endpoint: string,
  named: string | undefined,
  deps: OAuthDependencies,
): Promise<ProtectedResource | undefined> {
  const read = (json: JsonObject, address: string): ProtectedResource | undefined =>
    readProtectedResource(json, endpoint, address);
  if (named !== undefined) {
    // Plain http to this one server may have been allowed by the person.
    if (!isSameOrigin(named, endpoint)) checkAddress(named, "its metadata", endpoint);
    const found = await firstDocument([named], read, deps);
    if (found) return found;
  }
  const addresses = wellKnownAddresses(endpoint).filter((address) => address !== named);
  return await firstDocument(addresses, read, deps);
}

/** Undefined: something else, which says nothing of a resource. */
function readProtectedResource(
  json: JsonObject,
  endpoint: string,
  address: string,
): ProtectedResource | undefined {
  const { resource, authorization_servers: servers, scopes_supported: scopes } = json;
  if (typeof resource !== "string") return undefined;
  if (!standsFor(resource, endpoint)) {
    throw new AppError(
      "auth_rejected",
      `${hostOf(endpoint)} says that one signs in there for ${quoteForeign(resource)}, which is another server`,
      { hint: "No sign-in was begun: its token would be one for somebody else" },
    );
  }
  return {
    resource,
    authorizationServers: (Array.isArray(servers) ? servers : [])
      .filter((server): server is string => typeof server === "string")
      .slice(0, maxServers),
    scopesSupported: Array.isArray(scopes) ? wellFormedScopes(scopes) : [],
    address,
  };
}

/**
 * Whether a resource stands for a server's address: the same origin, and a path that is the address's or lies above it,
 * by whole segments. The names of the loopback interface are one.
 */
function standsFor(resource: string, endpoint: string): boolean {
  if (!URL.canParse(resource) || resource.includes("#") || resource.length > 2048) return false;
  const [named, asked] = [new URL(resource), new URL(endpoint)];
  if (named.username !== "" || named.password !== "") return false;
  const sameHost =
    named.hostname === asked.hostname ||
    (isLoopbackHost(named.hostname) && isLoopbackHost(asked.hostname));
  if (!sameHost || named.protocol !== asked.protocol || named.port !== asked.port) return false;
  if (named.search !== "" && named.search !== asked.search) return false;
  return closed(asked.pathname).startsWith(closed(named.pathname));
}

/** A path with a slash at its end, so that one begins with another by whole segments only. */
function closed(path: string): string {
  return path.endsWith("/") ? path : `${path}/`;
}

function isSameOrigin(address: string, endpoint: string): boolean {
  if (!URL.canParse(address)) return false;
  const { origin, username, password } = new URL(address);
  return origin === new URL(endpoint).origin && username === "" && password === "";
}
