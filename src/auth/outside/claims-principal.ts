import type { ClaimPath, IdentityMapping } from "../../core/configuration.ts";
import { isJsonObject } from "../../core/json.ts";
import type { Json, JsonObject } from "../../core/json.ts";
import { credentialRole } from "../../core/permissions.ts";
import { roles } from "../../core/principal.ts";
import type { AuthenticationMethod, Principal, Role } from "../../core/principal.ts";
import { parseScope } from "../../core/scopes.ts";
import { oneLine } from "../../core/terminal-text.ts";
import type { Authentication } from "../authenticator.ts";
import type { Directory } from "../directory.ts";

/** What an issuer says of whoever shows a token, once it is established that the issuer says it. */
export interface ShownClaims {
  /** The issuer's URL. */
  issuer: string;
  claims: JsonObject;
  /** The issuer's own scopes of the token. */
  scopes: readonly string[];
  method: AuthenticationMethod;
  /** Milliseconds since the epoch; absent: the issuer names no end. */
  expiresAtMs?: number | undefined;
  /** Hex SHA-256 of the token. */
  tokenHash: string;
}

export type ClaimsAnswer = Extract<
  Authentication,
  { kind: "accepted" | "insufficient" | "rejected" }
>;

/** As long as a `sub` may be (OpenID Connect Core §2), and a name that is worth showing. */
const maxUserLength = 255;
const maxNameLength = 100;
/** Of an address (RFC 5321 §4.5.3.1.3). */
const maxEmailLength = 254;

/**
 * Who the bearer is here, by the operator's mapping. What the claims do not say in the form that is expected, they do
 * not say at all: whoever has no organisation that exists here has no role either, never that of the gateway's
 * administrator. Of the issuer's scopes those count that mean something here (`parseScope`); the others do not limit.
 * @returns `rejected` when the claims name no user; `insufficient` with all required scopes when one of them is missing
 */
export function claimsPrincipal(
  shown: ShownClaims,
  mapping: IdentityMapping,
  directory: Pick<Directory, "organization">,
): ClaimsAnswer {
  const { issuer, claims, scopes, method, expiresAtMs, tokenHash } = shown;
  const userId = userOf(claims, mapping.claims.user);
  if (userId === undefined) {
    const claim = oneLine(mapping.claims.user.join("."), 80);
    return { kind: "rejected", reason: `The token names no user (claim ${claim})` };
  }
  if (!mapping.requiredScopes.every((scope) => scopes.includes(scope))) {
    return { kind: "insufficient", scopes: mapping.requiredScopes };
  }
  const place = placeOf(claims, mapping, directory);
  const known = scopes.filter((scope) => parseScope(scope) !== undefined);
  const email = emailOf(claims);
  const principal: Principal = {
    userId,
    displayName: nameOf(claims, mapping.claims.name) ?? userId,
    ...(email === undefined ? {} : { email }),
    organizationId: place.organizationId,
    ...credentialRole(place.role, { scopes: known }),
    scopes: known,
    method,
    issuer,
    mapped: true,
    isLocalOwner: false,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
    tokenHash,
  };
  return { kind: "accepted", principal };
}

const emailPath: ClaimPath = ["email"];
const emailVerifiedPath: ClaimPath = ["email_verified"];
/** Where a name is looked for when the operator does not say, the first that is there. */
const namePaths: readonly ClaimPath[] = [emailPath, ["name"], ["preferred_username"]];

/** Every claim that `claimsPrincipal` looks at. */
export function claimsRead({ claims }: Pick<IdentityMapping, "claims">): readonly ClaimPath[] {
  const { user, name, organization, role } = claims;
  const named = [user, name, organization, role].filter((path) => path !== undefined);
  return [...named, emailVerifiedPath, ...namePaths];
}

/** The value at a path of own properties; undefined where there is none. */
export function claimAt(claims: JsonObject, path: ClaimPath): Json | undefined {
  let value: Json | undefined = claims;
  for (const name of path) {
    if (!isJsonObject(value) || !Object.hasOwn(value, name)) return undefined;
    value = value[name];
  }
  return value;
}

/** A text and nothing that is read as one: 7 and "7" could be two people. */
function userOf(claims: JsonObject, path: ClaimPath): string | undefined {
  const value = claimAt(claims, path);
  if (typeof value !== "string" || value.trim() === "" || value.length > maxUserLength) {
    return undefined;
  }
  return /\p{Cc}|\p{Cs}/u.test(value) ? undefined : value;
}

function nameOf(claims: JsonObject, path: ClaimPath | undefined): string | undefined {
  const paths = path === undefined ? namePaths : [path];
  const texts = paths.map((each) => claimAt(claims, each));
  const names = texts.flatMap((text) =>
    typeof text === "string" ? [oneLine(text, maxNameLength)] : [],
  );
  return names.find((name) => name !== "");
}

/** None that the issuer says is not shown to be the user's: others may believe it. */
function emailOf(claims: JsonObject): string | undefined {
  const email = claimAt(claims, emailPath);
  const isVerified = claimAt(claims, emailVerifiedPath);
  if (isVerified === false || isVerified === "false") return undefined;
  if (typeof email !== "string" || email.length > maxEmailLength) return undefined;
  return /^[^\s\p{Cc}@]+@[^\s\p{Cc}@]+$/u.test(email) ? email : undefined;
}

/** An organisation that is named, and not there, is no reason to act in none, which is more. */
function placeOf(
  claims: JsonObject,
  mapping: IdentityMapping,
  directory: Pick<Directory, "organization">,
): Pick<Principal, "organizationId" | "role"> {
  const { claims: paths, organizationId } = mapping;
  const role = roleOf(claims, mapping);
  if (paths.organization === undefined && organizationId === null) return { organizationId, role };
  const named =
    paths.organization === undefined
      ? organizationId
      : onlyText(claimAt(claims, paths.organization));
  const isThere = named !== null && directory.organization(named)?.deletedAtMs === null;
  return isThere ? { organizationId: named, role } : { organizationId: null, role: null };
}

/** A text, or the only one of a list, as some issuers have it; null: none, or it is not clear which. */
function onlyText(value: Json | undefined): string | null {
  const [only, ...others] = Array.isArray(value) ? value : [value];
  return typeof only === "string" && others.length === 0 ? only : null;
}

function roleOf(
  claims: JsonObject,
  { claims: paths, roles: names, role }: IdentityMapping,
): Role | null {
  if (paths.role === undefined) return role;
  const value = claimAt(claims, paths.role);
  const values: readonly Json[] = Array.isArray(value) ? value : value === undefined ? [] : [value];
  const means = (text: Json): Role | undefined => {
    if (typeof text !== "string") return undefined;
    return names === undefined ? roles.find((known) => known === text) : names.get(text);
  };
  return highest(values.map(means)) ?? role;
}

function highest(held: readonly (Role | undefined)[]): Role | undefined {
  return roles.findLast((role) => held.includes(role));
}
