import { AppError } from "../core/errors.ts";
import type { JsonObject } from "../core/json.ts";
import { nonsense } from "./answer-failure.ts";
import { firstDocument } from "./first-document.ts";
import { quoteForeign } from "./foreign-text.ts";
import type { AuthorizationServer, OAuthDependencies } from "./oauth.ts";
import { wellFormedScopes } from "./scope-list.ts";
import { checkAddress, hostOf } from "./sign-in-address.ts";

/**
 * Where an issuer's metadata may be, in the order of the MCP specification: RFC 8414 §3.1, then OpenID Connect
 * Discovery with the path behind the well-known part, then before it.
 */
function metadataAddresses(issuer: string): string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/+$/u, "");
  return [
    `${origin}/.well-known/oauth-authorization-server${path}`,
    `${origin}/.well-known/openid-configuration${path}`,
    ...(path === "" ? [] : [`${origin}${path}/.well-known/openid-configuration`]),
  ];
}

/**
 * Finds an authorization server by its issuer.
 * @param namedBy the address of who named it
 * @returns undefined when there are no metadata
 * @throws AppError `auth_rejected` when they are not those of this issuer, or of no use; `unreachable`, `timeout`
 */
export async function findAuthorizationServer(
  issuer: string,
  namedBy: string,
  deps: OAuthDependencies,
): Promise<AuthorizationServer | undefined> {
  checkAddress(issuer, "authorization server", namedBy);
  return await firstDocument(
    metadataAddresses(issuer),
    (json, address) => readAuthorizationServer(json, [issuer], address),
    deps,
  );
}

/**
 * Finds the authorization server that a server itself is (MCP authorization 2025-03-26), by metadata at its origin.
 * @param endpoint any address of the server
 */
export async function findOwnAuthorizationServer(
  endpoint: string,
  deps: OAuthDependencies,
): Promise<AuthorizationServer | undefined> {
  const { origin } = new URL(endpoint);
  return await firstDocument(
    metadataAddresses(origin),
    // Nobody has told us how it spells itself.
    (json, address) => readAuthorizationServer(json, [origin, `${origin}/`], address),
    deps,
  );
}

/** @param issuers how it may call itself, to the letter (RFC 8414 §3.3) */
function readAuthorizationServer(
  json: JsonObject,
  issuers: readonly string[],
  address: string,
): AuthorizationServer {
  const issuer = json["issuer"];
  if (typeof issuer !== "string" || !issuers.includes(issuer)) {
    const named = typeof issuer === "string" ? quoteForeign(issuer) : "nobody";
    throw new AppError(
      "auth_rejected",
      `${hostOf(address)} gives metadata of another authorization server: they name ${named}, not ${quoteForeign(issuers[0] ?? "")}`,
      { hint: "Nothing was sent there; the operator of the server can put it right" },
    );
  }
  const endpoint = (name: string): string | undefined => {
    const value = json[name];
    if (value === undefined || value === null) return undefined;
    if (typeof value !== "string") throw nonsense(address, `its ${name} is no URL`);
    return checkAddress(value, name.replaceAll("_", " "), issuer);
  };
  const tokenEndpoint = endpoint("token_endpoint");
  if (tokenEndpoint === undefined) throw nonsense(address, "its metadata name no token endpoint");
  const scopes = json["scopes_supported"];
  return {
    issuer,
    tokenEndpoint,
    authorizationEndpoint: endpoint("authorization_endpoint"),
    deviceAuthorizationEndpoint: endpoint("device_authorization_endpoint"),
    registrationEndpoint: endpoint("registration_endpoint"),
    revocationEndpoint: endpoint("revocation_endpoint"),
    takesS256: textsIn(json["code_challenge_methods_supported"])?.includes("S256") === true,
    issParameterSupported: json["authorization_response_iss_parameter_supported"] === true,
    tokenEndpointAuthMethods: textsIn(json["token_endpoint_auth_methods_supported"]),
    scopesSupported: Array.isArray(scopes) ? wellFormedScopes(scopes) : undefined,
    grantTypesSupported: textsIn(json["grant_types_supported"]),
  };
}

function textsIn(value: unknown): readonly string[] | undefined {
  return Array.isArray(value)
    ? value.filter((text): text is string => typeof text === "string")
    : undefined;
}
