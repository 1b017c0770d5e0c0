import { AppError } from "../core/errors.ts";
import type { AuthorizationServer } from "./oauth.ts";
import { hostOf } from "./sign-in-address.ts";

/**
 * Refuses an authorization server that cannot tie a code to who asked for it (RFC 7636 §4.2; MCP authorization,
 * "Authorization Code Protection").
 * @throws AppError `auth_rejected`
 */
export function refuseWithoutPkce({ issuer, takesS256 }: AuthorizationServer): void {
  if (takesS256 === true) return;
  throw new AppError(
    "auth_rejected",
    `${hostOf(issuer)} does not support PKCE with S256, without which a sign-in can be stolen`,
    { hint: "No sign-in was begun; the operator of the server can put it right" },
  );
}
