import { AppError } from "../core/errors.ts";
import { isGatewayAdministrator, requireRole } from "../core/permissions.ts";
import type { Principal } from "../core/principal.ts";
import { oneLine } from "../core/terminal-text.ts";

/**
 * What an administrator may see and change.
 * @returns the one organisation that is theirs; null: they administer the gateway, and with it all
 * @throws AppError `forbidden`: no administrator, or by a token that is limited to less (InsufficientScope)
 */
export function administeredBy(by: Principal): string | null {
  requireRole(by, "admin", "Administration");
  return by.organizationId;
}

/**
 * To be asked before anything is looked up, so that the answer is the same whatever there is.
 * @param what what was tried, as the subject of a sentence
 * @throws AppError `forbidden`
 */
export function requireGatewayAdministrator(by: Principal, what: string): void {
  const own = administeredBy(by);
  if (isGatewayAdministrator(by)) return;
  throw new AppError(
    "forbidden",
    `${what} is for administrators of the gateway; you are one of ${oneLine(own ?? "", 80)}`,
    { hint: "The owner of the gateway can do it" },
  );
}

/**
 * Tokens without an organisation act for the local owner, so nobody else makes or replaces one: it would outlast
 * whatever its maker was let in by.
 * @throws AppError `forbidden`
 */
export function requireOwner(
  by: Principal,
  hint = "Name the organisation and the user that the token is for",
): void {
  if (by.isLocalOwner) return;
  throw new AppError("forbidden", "A token without an organisation is the local owner's alone", {
    hint,
  });
}
