import type { Directory } from "../auth/directory.ts";
import { AppError } from "../core/errors.ts";
import type { Principal, Role } from "../core/principal.ts";
import { noMember, noOrganization } from "./not-found.ts";
import { administeredBy, requireOwner } from "./who-may.ts";

/** Who a token acts for, where, and what they hold there. */
interface TokenBearer {
  userId: string;
  organizationId: string | null;
  held: Role;
}

/**
 * Finds who a new token is for: a member of an organisation or, where neither user nor organisation is named, the
 * local owner, who asks. The function throws AppError `forbidden`, `not_found`, and `usage` where
 * one of the two is missing; an administrator's own organisation need not be named.
 */
export function createTokenBearers(
  directory: Directory,
): (
  by: Principal,
  wanted: { userId?: string | undefined; organizationId?: string | undefined },
) => TokenBearer {
  return (by, wanted) => {
    const own = administeredBy(by);
    const { userId, organizationId = own } = wanted;
    if (userId === undefined && organizationId === null) {
      requireOwner(by);
      return { userId: by.userId, organizationId: null, held: "admin" };
    }
    if (userId === undefined || organizationId === null) {
      throw new AppError("usage", "A token needs both the user and the organisation it acts in", {
        hint:
          own === null
            ? "Name both, or neither for a token of your own"
            : "Name one of the members: agent member list",
      });
    }
    if (own !== null && own !== organizationId) throw noOrganization(organizationId);
    if (directory.organization(organizationId)?.deletedAtMs !== null) {
      throw noOrganization(organizationId);
    }
    const held = directory.roleIn({ organizationId, userId });
    if (held === undefined) {
      const isMember = directory.isMember({ organizationId, userId });
      throw isMember ? disabledUser(userId) : noMember({ organizationId, userId });
    }
    return { userId, organizationId, held };
  };
}

function disabledUser(userId: string): AppError {
  return new AppError("usage", `The user "${userId}" is disabled, and no token is good for it`, {
    hint: `agent user enable ${userId}`,
  });
}
