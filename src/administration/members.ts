import { compareMembers } from "../auth/identity-rows.ts";
import type { Member } from "../core/identities.ts";
import type { Principal } from "../core/principal.ts";
import type { Administration } from "./administration.ts";
import { AlreadyExists } from "./already-exists.ts";
import { noMember, noOrganization, noUser } from "./not-found.ts";
import { page } from "./page.ts";
import type { AdministrationParts } from "./parts.ts";
import { takeBackTokens } from "./take-back-tokens.ts";
import { administeredBy, requireGatewayAdministrator } from "./who-may.ts";

type Key = Pick<Member, "organizationId" | "userId">;

/** A member counts, and is in the list, while itself, its user and its organisation are not deleted. */
export function administerMembers({
  directory,
  now,
}: Pick<AdministrationParts, "directory" | "now">): Administration["members"] {
  const requireOrganization = (id: string): void => {
    if (directory.organization(id)?.deletedAtMs !== null) throw noOrganization(id);
  };
  /** Of users who are no members an organisation's administrator learns nothing. */
  const requireUser = (key: Key, confined: boolean): void => {
    if (directory.user(key.userId)?.deletedAtMs === null) return;
    throw confined ? noMember(key, ownerAdds) : noUser(key.userId);
  };

  return {
    list(by, options) {
      const own = administeredBy(by);
      const { organizationId, userId, deleted } = options;
      return page(
        directory.members(),
        options,
        (member, after) => compareMembers(member, keyOf(after)) > 0,
        (member) =>
          (own === null || own === member.organizationId) &&
          (organizationId === undefined || organizationId === member.organizationId) &&
          (userId === undefined || userId === member.userId) &&
          (deleted ? member.deletedAtMs !== null : directory.isMember(member)),
      );
    },

    set(asked, { organizationId, userId, role }) {
      const key = { organizationId, userId };
      return directory.change(asked, (by) => {
        const confined = enter(by, organizationId);
        requireOrganization(organizationId);
        requireUser(key, confined);
        const there = directory.member(key);
        if (confined && there?.deletedAtMs !== null) throw noMember(key, ownerAdds);
        if (there?.deletedAtMs === null && there.role === role) return { result: there };
        const createdAtMs = there?.createdAtMs ?? now();
        const member = { ...key, role, createdAtMs, deletedAtMs: null };
        return { members: [member], result: member };
      });
    },

    remove: (asked, key) =>
      directory.change(asked, (by) => {
        enter(by, key.organizationId);
        requireOrganization(key.organizationId);
        const member = directory.member(key);
        if (member === undefined || !directory.isMember(key)) throw noMember(key);
        const atMs = now();
        const removed = { ...member, deletedAtMs: atMs };
        const tokens = directory
          .tokens()
          .filter(
            ({ organizationId, userId }) =>
              organizationId === key.organizationId && userId === key.userId,
          );
        return { members: [removed], tokens: takeBackTokens(tokens, atMs), result: removed };
      }),

    restore: (asked, key) =>
      directory.change(asked, (by) => {
        requireGatewayAdministrator(by, "Restoring a member");
        requireOrganization(key.organizationId);
        requireUser(key, false);
        const member = directory.member(key);
        if (member === undefined) throw noMember(key);
        if (member.deletedAtMs === null) {
          throw new AlreadyExists(
            `"${key.userId}" is a member of "${key.organizationId}" already`,
            "agent member list",
          );
        }
        const restored = { ...member, deletedAtMs: null };
        return { members: [restored], result: restored };
      }),
  };
}

/** Said of every id alike, so that it tells nothing of who is known here. */
const ownerAdds = "The owner of the gateway adds members";

/**
 * @returns whether `by` administers no more than this organisation
 * @throws AppError `forbidden`; `not_found` where the organisation is not theirs
 */
function enter(by: Principal, organizationId: string): boolean {
  const own = administeredBy(by);
  if (own !== null && own !== organizationId) throw noOrganization(organizationId);
  return own !== null;
}

/** Of `organisation/user`; without a user it is before all of the organisation. */
function keyOf(text: string): Key {
  const [organizationId = "", ...rest] = text.split("/");
  return { organizationId, userId: rest.join("/") };
}
