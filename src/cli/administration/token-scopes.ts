import { AppError } from "../../core/errors.ts";
import { covers } from "../../core/permissions.ts";
import { roles } from "../../core/principal.ts";
import type { Role } from "../../core/principal.ts";
import { holdsSeveralScopes, limitsOf, parseScope } from "../../core/scopes.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { shownWord } from "../shown-word.ts";

/**
 * The scopes of a new token, each once, found right before anybody is asked.
 * @throws AppError `usage`: several in one, or a role above that of `--role`
 */
export function checkedScopes(scopes: readonly string[], role: string | undefined): string[] {
  const several = scopes.find((scope) => holdsSeveralScopes(scope));
  if (several !== undefined) {
    throw new AppError("usage", `--scope is several scopes in one: ${shownWord(several)}`, {
      hint: "Give one --scope for each",
    });
  }
  const most = asRole(role);
  const byScopes = limitsOf(scopes).role;
  if (most !== undefined && byScopes !== undefined && !covers(most, byScopes)) {
    throw new AppError("usage", `--scope role:${byScopes} is above --role ${most}`, {
      hint: `Leave out one of them: with both the token would be used as ${most}`,
    });
  }
  return [...new Set(scopes)];
}

/** Scopes on one line: with a space between them, so that one which holds a space stands in quotes. */
export function shownScopes(scopes: readonly string[]): string {
  return scopes.map((scope) => (/\s/u.test(scope) ? quoteForShell(scope) : scope)).join(" ");
}

/** What a token is limited to when it is made, taken apart for people. */
interface ShownLimits {
  /** The smaller of its own role and that of its scopes; undefined: what its user holds. */
  role: string | undefined;
  /** Its scopes but for the roles; empty: none. */
  scopes: string;
  /** Whether the scopes open anything but `/metrics`. */
  opens: boolean;
}

export function shownLimits(token: {
  role: string | null;
  scopes: readonly string[];
}): ShownLimits {
  const { opens, role: byScopes } = limitsOf(token.scopes);
  const own = asRole(token.role ?? undefined);
  // A role that a later gateway may know is told as it is.
  const smaller = byScopes !== undefined && own !== undefined && covers(own, byScopes);
  const others = token.scopes.filter((scope) => parseScope(scope)?.kind !== "role");
  return {
    role: smaller ? byScopes : (token.role ?? byScopes),
    scopes: shownScopes(others),
    opens,
  };
}

function asRole(text: string | undefined): Role | undefined {
  return roles.find((known) => known === text);
}
