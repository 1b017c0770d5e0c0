import { AppError } from "../core/errors.ts";
import { covers, isGatewayAdministrator, metricsScope } from "../core/permissions.ts";
import type { Principal, Role } from "../core/principal.ts";
import { holdsSeveralScopes, limitsOf, parseScope, scopeForms } from "../core/scopes.ts";
import { escapeForTerminal, oneLine } from "../core/terminal-text.ts";
import { requireOwner } from "./who-may.ts";

/** Characters of one scope. */
const longestScope = 100;
const longestDays = 3650;
const longestLifetimeMs = longestDays * 24 * 60 * 60 * 1000;

/**
 * @throws AppError `usage` for a scope that nothing asks for: the token would be good for less than was meant, or for
 *   nothing; for several in one text; and for what cannot be told on one line
 */
export function checkScopes(scopes: readonly string[]): void {
  const several = scopes.find((scope) => holdsSeveralScopes(scope));
  if (several !== undefined) {
    throw new AppError("usage", `"${oneLine(several, 60)}" is several scopes in one`, {
      hint: "Each scope stands for itself: one --scope for each",
    });
  }
  const unknown = scopes.find(
    (scope) =>
      parseScope(scope) === undefined ||
      scope.length > longestScope ||
      escapeForTerminal(scope) !== scope,
  );
  if (unknown === undefined) return;
  throw new AppError("usage", `There is no scope "${oneLine(unknown, 60)}"`, {
    hint: `Scopes: ${scopeForms}`,
  });
}

/**
 * What a token was to be made for that its user does not hold: the role itself, or the highest of its scopes.
 * @returns undefined when it is all held
 */
export function roleAboveHeld(
  held: Role,
  { role, scopes }: { role: Role | null; scopes: readonly string[] },
): Role | undefined {
  const byScopes = limitsOf(scopes).role;
  return [role ?? undefined, byScopes].find((each) => each !== undefined && !covers(held, each));
}

/**
 * A role among the scopes that is above the one beside them would be good for nothing, and read as if it were.
 * @throws AppError `usage`
 */
export function checkRoleOfScopes(role: Role | null, scopes: readonly string[]): void {
  const byScopes = limitsOf(scopes).role;
  if (role === null || byScopes === undefined || covers(role, byScopes)) return;
  throw new AppError("usage", `The scope role:${byScopes} is above the role ${role} of the token`, {
    hint: `Leave out one of them: the token is used as ${role} with both`,
  });
}

/** @throws AppError `usage` */
export function checkLifetime(lifetimeMs: number | null): void {
  if (lifetimeMs === null) return;
  if (Number.isSafeInteger(lifetimeMs) && lifetimeMs > 0 && lifetimeMs <= longestLifetimeMs) return;
  throw new AppError("usage", "That is no time for a token to be good", {
    hint: `More than nothing and at most ${longestDays} days, or for ever`,
  });
}

/**
 * The scope `metrics` opens what is the whole gateway's (`/metrics` counts the servers of all organisations), so a token
 * with it acts in no organisation, and is the local owner's as all such are. The others limit, and anybody's token may
 * have them.
 * @throws AppError `forbidden`; `usage` where the token is to be for a user or in an organisation
 */
export function requireScopesGrantable(
  by: Principal,
  wanted: {
    userId?: string | undefined;
    organizationId?: string | undefined;
    scopes: readonly string[];
  },
): void {
  if (!wanted.scopes.includes(metricsScope)) return;
  if (!isGatewayAdministrator(by)) {
    throw new AppError("forbidden", "A token for the metrics is the local owner's alone", {
      hint: ownerCan,
    });
  }
  if (wanted.userId === undefined && wanted.organizationId === undefined) {
    requireOwner(by, ownerCan);
    return;
  }
  throw new AppError(
    "usage",
    "A token for the metrics acts for the gateway, and is not made for a user or an organisation",
    {
      hint: `agent token create --name <name> --scope ${metricsScope}, without --user and --organization`,
    },
  );
}

const ownerCan = "The owner of the gateway can do it";
