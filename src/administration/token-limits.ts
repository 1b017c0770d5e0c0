import { AppError } from "../core/errors.ts";
import { isGatewayAdministrator, metricsScope } from "../core/permissions.ts";
import type { Principal } from "../core/principal.ts";
import { oneLine } from "../core/terminal-text.ts";
import { requireOwner } from "./who-may.ts";

const knownScopes: readonly string[] = [metricsScope];
const longestDays = 3650;
const longestLifetimeMs = longestDays * 24 * 60 * 60 * 1000;

/** @throws AppError `usage` for a scope that nothing asks for: the token would be good for nothing */
export function checkScopes(scopes: readonly string[]): void {
  const unknown = scopes.find((scope) => !knownScopes.includes(scope));
  if (unknown === undefined) return;
  throw new AppError("usage", `There is no scope "${oneLine(unknown, 60)}"`, {
    hint: `Scopes: ${knownScopes.join(", ")}`,
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
 * What a scope opens is the whole gateway's (`/metrics` counts the servers of all organisations), so a token with
 * scopes acts in no organisation, and is the local owner's as all such are.
 * @throws AppError `forbidden`; `usage` where the token is to be for a user or in an organisation
 */
export function requireScopesGrantable(
  by: Principal,
  wanted: { userId?: string | undefined; organizationId?: string | undefined },
): void {
  if (!isGatewayAdministrator(by)) {
    throw new AppError("forbidden", "A token with scopes is the local owner's alone", {
      hint: ownerCan,
    });
  }
  if (wanted.userId === undefined && wanted.organizationId === undefined) {
    requireOwner(by, ownerCan);
    return;
  }
  throw new AppError(
    "usage",
    "A token with scopes acts for the gateway, and is not made for a user or an organisation",
    { hint: `agent token create --scope ${metricsScope}, without --user and --organization` },
  );
}

const ownerCan = "The owner of the gateway can do it";
