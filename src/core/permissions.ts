import type { ServerConfiguration } from "./configuration.ts";
import { AppError } from "./errors.ts";
import { roles } from "./principal.ts";
import type { Principal, Role } from "./principal.ts";
import { quoteForShell } from "./shell-quote.ts";
import { oneLine } from "./terminal-text.ts";

/** Lets a program that watches the gateway read `/metrics`, and nothing else. */
export const metricsScope = "metrics";

/** Whether a role covers another: each may do what the one before it may. */
export function covers(held: Role | null, needed: Role): boolean {
  return held !== null && roles.indexOf(held) >= roles.indexOf(needed);
}

/** Whether a principal may do what this role may, in its organisation. A token with scopes may only what they say. */
export function mayAs({ role, scopes }: Principal, needed: Role): boolean {
  return scopes.length === 0 && covers(role, needed);
}

/** Administers the gateway itself, not one organisation: sees every server and everybody's rows. */
export function isGatewayAdministrator(principal: Principal): boolean {
  return principal.organizationId === null && mayAs(principal, "admin");
}

/** Whether a server is there at all for this principal: it belongs to all, or to the principal's organisation. */
export function seesServer(
  principal: Principal,
  { access }: Pick<ServerConfiguration, "access">,
): boolean {
  if (!mayAs(principal, "viewer")) return false;
  const { organizations } = access;
  if (organizations.length === 0 || isGatewayAdministrator(principal)) return true;
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
  const { organizationId } = principal;
  const lists = mayAs(principal, "editor") ? "every tool" : "tools that read";
  if (organizationId !== null) return `${lists} of ${organizationId}`;
  return isGatewayAdministrator(principal) ? "everything" : lists;
}

/**
 * @param what what was tried, as the subject of a sentence: `Tool "files__write"`, `This`
 * @throws AppError `forbidden`: the role that is needed, the one that is held, and who can grant it; or that it is
 *   the token that is limited, and not its user
 */
export function requireRole(principal: Principal, needed: Role, what: string): void {
  if (mayAs(principal, needed)) return;
  const { userRole, scopes, organizationId } = principal;
  if (scopes.length > 0) {
    throw new AppError("forbidden", `${what} is beyond this token's scopes`, {
      hint: `The token is good for: ${oneLine(scopes.join(" "), 200)}`,
    });
  }
  const place = organizationId === null ? "" : ` in ${oneLine(organizationId, 80)}`;
  const role = userRole ?? principal.role;
  if (principal.role !== null && covers(role, needed)) {
    // The user may: there is nothing to grant, but another token to take.
    throw new AppError(
      "forbidden",
      `${what} needs the role ${needed}; this token is limited to ${principal.role}, its user${place} is ${role}`,
      { hint: howToMake(principal, needed) },
    );
  }
  const held = role === null ? `you have none${place}` : `yours${place} is ${role}`;
  const granter =
    organizationId === null
      ? "the owner of the gateway"
      : `an administrator of ${oneLine(organizationId, 80)}`;
  // Who can grant it stands in the message: a program far from the gateway may show nothing else of it.
  throw new AppError(
    "forbidden",
    `${what} needs the role ${needed}; ${held} (${granter} can grant it)`,
    {
      hint: howToGrant(principal, needed),
    },
  );
}

function howToGrant(principal: Principal, needed: Role): string {
  const { userId, organizationId, method } = principal;
  if (method === "token") return "A static token's role stands in the configuration of the gateway";
  if (organizationId === null) return howToMake(principal, needed);
  const words = ["agent member set", quoteForShell(userId), quoteForShell(organizationId), needed];
  return words.join(" ");
}

/** The command for a token that is good for the role; without the name that it needs. */
function howToMake({ userId, organizationId }: Principal, needed: Role): string {
  const words = ["agent token create"];
  if (organizationId !== null) {
    words.push("--user", quoteForShell(userId), "--organization", quoteForShell(organizationId));
  }
  return [...words, "--role", needed].join(" ");
}
