import type { MintedToken } from "../core/identities.ts";
import { credentialRole } from "../core/permissions.ts";
import type { Principal } from "../core/principal.ts";
import type { Directory } from "./directory.ts";

/**
 * Who a live token acts for, as that is now: never more than the user holds now, than the token was made for, and than
 * its scopes leave. Without an organisation it is the local owner: nobody else has such
 * tokens. Undefined when the user is not, or not any more, a member of the token's organisation.
 */
export function tokenPrincipal(
  token: MintedToken,
  directory: Pick<Directory, "roleIn" | "user">,
): Principal | undefined {
  const { hash, kind, userId, organizationId, role, scopes, expiresAtMs } = token;
  const common = {
    userId,
    organizationId,
    scopes,
    method: kind === "session" ? ("simple" as const) : ("local" as const),
    isLocalOwner: organizationId === null,
    ...(expiresAtMs === null ? {} : { expiresAtMs }),
    ...(hash === null ? {} : { tokenHash: hash }),
  };
  if (organizationId === null) {
    return { ...common, displayName: userId, ...credentialRole("admin", { limit: role, scopes }) };
  }
  const held = directory.roleIn({ organizationId, userId });
  if (held === undefined) return undefined;
  return {
    ...common,
    displayName: directory.user(userId)?.name ?? userId,
    ...(userId.includes("@") ? { email: userId } : {}),
    ...credentialRole(held, { limit: role, scopes }),
  };
}
