import { InsufficientScope } from "../core/insufficient-scope.ts";
import { oneLine } from "../core/terminal-text.ts";

/** @param scopes of the issuer, which it gives to whoever may have them and asks for them */
export function lackingScopes(scopes: readonly string[]): InsufficientScope {
  const named = `the scope${scopes.length === 1 ? "" : "s"} ${oneLine(scopes.join(" "), 400)}`;
  return new InsufficientScope(`The token lacks ${named}`, {
    scopes,
    hint: `Sign in again and ask for ${named}`,
  });
}
