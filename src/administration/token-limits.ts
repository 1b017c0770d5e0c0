import { AppError } from "../core/errors.ts";
import { isGatewayAdministrator, metricsScope } from "../core/permissions.ts";
import type { Principal } from "../core/principal.ts";
import { oneLine } from "../core/terminal-text.ts";

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
 * What a scope opens is the whole gateway's (`/metrics` counts the servers of all organisations), so who
 * administers one organisation neither grants it nor takes over a token that has it.
 * @throws AppError `forbidden`
 */
export function requireScopesGrantable(by: Principal, scopes: readonly string[]): void {
  if (scopes.length === 0 || isGatewayAdministrator(by)) return;
  throw new AppError("forbidden", "A token with scopes is made by administrators of the gateway", {
    hint: "The owner of the gateway can do it",
  });
}
