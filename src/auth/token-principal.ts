import type { MintedToken } from "../core/identities.ts";
import { covers } from "../core/permissions.ts";
import type { Principal, Role } from "../core/principal.ts";
import type { Directory } from "./directory.ts";

/**
 * Who a live token acts for, as that is now. Without an organisation it is the local owner: nobody else has such
 * tokens. Undefined when the user is not, or not any more, a member of the token's organisation.
 */
export function tokenPrincipal(
  token: MintedToken,
  directory: Pick<Directory, "roleIn" | "user">,
): Principal | undefined {
  const { hash, userId, organizationId, scopes, expiresAtMs } = token;
  const common = {
    userId,
    organizationId,
    scopes,
    method: "local" as const,
    isLocalOwner: organizationId === null,
    ...(expiresAtMs === null ? {} : { expiresAtMs }),
    ...(hash === null ? {} : { tokenHash: hash }),
  };
  if (organizationId === null) {
    return { ...common, displayName: userId, ...limited(token.role, "admin") };
  }
  const held = directory.roleIn({ organizationId, userId });
  if (held === undefined) return undefined;
  return {
    ...common,
    displayName: directory.user(userId)?.name ?? userId,
    ...limited(token.role, held),
  };
}

/** Never more than the user holds now, and never more than the token was made for. */
function limited(limit: Role | null, held: Role): Pick<Principal, "role" | "userRole"> {
  if (limit === null || covers(limit, held)) return { role: held };
  return { role: limit, userRole: held };
}
