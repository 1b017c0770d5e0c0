import type { Principal, Role } from "./principal.ts";
import { quoteForShell } from "./shell-quote.ts";
import { oneLine } from "./terminal-text.ts";

/** ` in acme`, or nothing for who acts in no organisation. */
export function placeOf({ organizationId }: Pick<Principal, "organizationId">): string {
  return organizationId === null ? "" : ` in ${oneLine(organizationId, 80)}`;
}

/** Whether the operator's configuration alone says what they hold: no membership here would count. */
function isMapped({ method, mapped = false }: Principal): boolean {
  return mapped || method === "jwt" || method === "bearer" || method === "oauth";
}

/** Who can give the user a role, in words for the end of a sentence. */
export function whoGrants(principal: Principal): string {
  const { organizationId, method } = principal;
  return organizationId === null || method === "token" || isMapped(principal)
    ? "the owner of the gateway can grant it"
    : `an administrator of ${oneLine(organizationId, 80)} can grant it`;
}

/** What to do so that the user holds the role: never a command that could not help. */
export function howToGrant(principal: Principal, needed: Role): string {
  const { userId, organizationId, role, method } = principal;
  if (method === "token") return "A static token's role stands in the configuration of the gateway";
  if (isMapped(principal)) {
    return organizationId === null && role === null
      ? `No organisation and role here follow from what the issuer says: see "claims", "organization", "roles" and "role" of auth type "${method}" in the configuration`
      : `The role follows from what the issuer says: map it to ${needed} by "roles" (or "role") of auth type "${method}" in the configuration`;
  }
  if (organizationId === null) return howToMake(principal, { role: needed });
  const words = ["agent member set", quoteForShell(userId), quoteForShell(organizationId), needed];
  return words.join(" ");
}

/** How to come by a token that is good for it: a command, to which its name is added, or whom to ask. */
export function howToMake(
  principal: Principal,
  limits: { role: Role } | { scopes: readonly string[] },
): string {
  const { userId, organizationId } = principal;
  const scopes = "scopes" in limits ? limits.scopes : [`role:${limits.role}`];
  if (isMapped(principal)) {
    return `Ask the authorization server for a token with the scopes: ${oneLine(scopes.join(" "), 200)}`;
  }
  const words = ["agent token create --name <name>"];
  if (organizationId !== null) {
    words.push("--user", quoteForShell(userId), "--organization", quoteForShell(organizationId));
  }
  if ("role" in limits) words.push("--role", limits.role);
  else words.push(...limits.scopes.map((scope) => `--scope ${quoteForShell(scope)}`));
  return words.join(" ");
}
