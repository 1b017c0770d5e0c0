import type { ServerConfiguration } from "./configuration.ts";
import { AppError } from "./errors.ts";
import { InsufficientScope } from "./insufficient-scope.ts";
import { roles } from "./principal.ts";
import type { Principal, Role } from "./principal.ts";
import { coversServer, limitsOf, reachesAsFar } from "./scopes.ts";
import { howToGrant, howToMake, placeOf, whoGrants } from "./say-who-grants.ts";
import { oneLine } from "./terminal-text.ts";

/** Lets a program that watches the gateway read `/metrics`, and nothing else. */
export const metricsScope = "metrics";

/** What of a server decides for whom it is there. */
export type GuardedServer = Pick<ServerConfiguration, "name" | "tags" | "access">;

/** Whether a role covers another: each may do what the one before it may. */
export function covers(held: Role | null, needed: Role): boolean {
  return held !== null && roles.indexOf(held) >= roles.indexOf(needed);
}

/** The lesser of two roles; null is less than any. */
function least(one: Role | null, other: Role): Role | null {
  return covers(one, other) ? other : one;
}

/**
 * As what a credential is used: no more than its user holds, than it was made for, and than its scopes leave. One that
 * is limited to servers administers nothing: at most it edits.
 * @param limit what it was made for, beside its scopes; null: whatever its user holds
 */
export function credentialRole(
  held: Role | null,
  { scopes, limit = null }: { scopes: readonly string[]; limit?: Role | null | undefined },
): Pick<Principal, "role" | "userRole"> {
  const role = acting(limit === null ? held : least(held, limit), scopes);
  return role === held || held === null ? { role: held } : { role, userRole: held };
}

function acting(role: Role | null, scopes: readonly string[]): Role | null {
  const limits = limitsOf(scopes);
  if (!limits.opens) return null;
  const used = limits.role === undefined ? role : least(role, limits.role);
  return limits.servers === undefined ? used : least(used, "editor");
}

/** Whether a principal may do what this role may, in its organisation; by a token with scopes, only as those say. */
export function mayAs({ role, scopes }: Principal, needed: Role): boolean {
  return covers(acting(role, scopes), needed);
}

/** What the user holds, however little of it the credential is limited to. */
function heldBy({ role, userRole }: Principal): Role | null {
  return userRole ?? role;
}

/** The user behind a credential, without the credential's limits: for finding out what the credential lacks. */
export function asItsUser(principal: Principal): Principal {
  return { ...principal, role: heldBy(principal), userRole: undefined, scopes: [] };
}

/** Whether the scopes may keep from it servers that its user sees. */
export function hidesServers({ scopes }: Pick<Principal, "scopes">): boolean {
  const { opens, servers } = limitsOf(scopes);
  return !opens || servers !== undefined;
}

/** Administers the gateway itself, not one organisation: sees every server and everybody's rows. */
export function isGatewayAdministrator(principal: Principal): boolean {
  return principal.organizationId === null && mayAs(principal, "admin");
}

/** Whether servers of all organisations are there for the user; how they may be used, the credential says. */
function seesAllOrganizations(principal: Principal): boolean {
  return principal.organizationId === null && covers(heldBy(principal), "admin");
}

/**
 * Whether a server is there at all for this principal: it belongs to all, or to the principal's organisation, and the
 * scopes leave it.
 */
export function seesServer(principal: Principal, server: GuardedServer): boolean {
  if (!mayAs(principal, "viewer")) return false;
  if (!coversServer(limitsOf(principal.scopes), server)) return false;
  const { organizations } = server.access;
  if (organizations.length === 0 || seesAllOrganizations(principal)) return true;
  return principal.organizationId !== null && organizations.includes(principal.organizationId);
}

/**
 * Whether a server is this principal's to manage: to restart it, and to read what it writes to its standard
 * error, which may tell of anybody's calls. What several organisations share is the gateway's.
 */
export function managesServer(
  principal: Principal,
  { access }: Pick<ServerConfiguration, "access">,
): boolean {
  if (isGatewayAdministrator(principal)) return true;
  const [only, ...others] = access.organizations;
  return others.length === 0 && only === principal.organizationId && mayAs(principal, "admin");
}

/** Principals of whom this is the same see the same servers (`seesServer`), and are listed the same of them. */
export function sightOf(principal: Principal): string {
  if (!mayAs(principal, "viewer")) return "nothing";
  const { organizationId, scopes } = principal;
  const lists = mayAs(principal, "editor") ? "every tool" : "tools that read";
  const { serversKey } = limitsOf(scopes);
  const within = serversKey === "" ? "" : ` within ${serversKey}`;
  if (organizationId !== null) return `${lists} of ${organizationId}${within}`;
  return seesAllOrganizations(principal) ? `${lists} everywhere${within}` : `${lists}${within}`;
}

/** Whether both may see and do the same, as far as the rules here go: not whether they are one. */
export function mayTheSame(one: Principal, other: Principal): boolean {
  if (one === other) return true;
  return (
    one.role === other.role &&
    sightOf(one) === sightOf(other) &&
    mayAs(one, "admin") === mayAs(other, "admin")
  );
}

/**
 * Whether a credential is limited to no less than another one of the same user, so that it may go on with what that one
 * began. A user who holds less than before is not limited by the credential, and goes on.
 */
export function scopesReach(
  { scopes, role, userRole }: Pick<Principal, "scopes" | "role" | "userRole">,
  other: Pick<Principal, "scopes" | "role">,
): boolean {
  const isLimited = userRole !== undefined;
  if (isLimited && other.role !== null && !covers(role, other.role)) return false;
  return reachesAsFar(limitsOf(scopes), limitsOf(other.scopes));
}

/**
 * @param what what was tried, as the subject of a sentence: `Tool "files__write"`, `This`
 * @param server whose it is, where it is one server's
 * @throws AppError `forbidden`: the role that is needed, the one that is held, and who can grant it;
 *   InsufficientScope: it is the credential that is limited, and not its user
 */
export function requireRole(
  principal: Principal,
  needed: Role,
  what: string,
  server?: Pick<ServerConfiguration, "name" | "tags">,
): void {
  const limits = limitsOf(principal.scopes);
  if (mayAs(principal, needed) && (server === undefined || coversServer(limits, server))) return;
  throw covers(heldBy(principal), needed)
    ? beyondCredential(principal, needed, what, server?.name)
    : aboveHeld(principal, needed, what);
}

/** Reading `/metrics`, which count for all organisations: for who administers the gateway. @throws as `requireRole` */
export function requireWatcher(principal: Principal): void {
  if (!seesAllOrganizations(principal)) {
    throw new AppError(
      "forbidden",
      `Metrics need the role admin of the gateway itself, or a token of no organisation with the scope ${metricsScope}`,
      {
        hint: "The owner of the gateway can make such a token: agent token create --name <name> --scope metrics",
      },
    );
  }
  if (limitsOf(principal.scopes).metrics || isGatewayAdministrator(principal)) return;
  throw insufficient(principal, "Metrics are beyond", [metricsScope]);
}

/** The user may: there is nothing to grant, but another credential to take. */
function beyondCredential(
  principal: Principal,
  needed: Role,
  what: string,
  server: string | undefined,
): InsufficientScope {
  const { role, scopes } = principal;
  const wanted = scopesFor(principal, needed, server);
  if (scopes.length > 0) return insufficient(principal, `${what} is beyond`, wanted);
  return new InsufficientScope(
    `${what} needs the role ${needed}; this token is limited to ${role}, its user${placeOf(principal)} is ${heldBy(principal)}`,
    { scopes: wanted, hint: howToMake(principal, { role: needed }) },
  );
}

function insufficient(
  principal: Principal,
  beyond: string,
  wanted: readonly string[],
): InsufficientScope {
  const has = oneLine(principal.scopes.join(" "), 200);
  const needs = oneLine(wanted.join(" "), 200);
  return new InsufficientScope(`${beyond} this token's scopes (${has}): it needs ${needs}`, {
    scopes: wanted,
    hint: howToMake(principal, { scopes: wanted }),
  });
}

/**
 * The scopes with which, and nothing beside, a token of this user may: of each kind that this one is limited in. What
 * is no one server's, no token may that is limited to servers.
 */
function scopesFor(principal: Principal, needed: Role, server: string | undefined): string[] {
  const { opens, servers, role } = limitsOf(principal.scopes);
  const ofServer = server !== undefined && needed !== "admin" && (servers !== undefined || !opens);
  const ofRole = role !== undefined || !ofServer || !mayAs(principal, needed);
  return [...(ofServer ? [`server:${server}`] : []), ...(ofRole ? [`role:${needed}`] : [])];
}

function aboveHeld(principal: Principal, needed: Role, what: string): AppError {
  const held = heldBy(principal);
  const place = placeOf(principal);
  const has = held === null ? `you have none${place}` : `yours${place} is ${held}`;
  // Who can grant it stands in the message: a program far from the gateway may show nothing else of it.
  return new AppError(
    "forbidden",
    `${what} needs the role ${needed}; ${has} (${whoGrants(principal)})`,
    { hint: howToGrant(principal, needed) },
  );
}
