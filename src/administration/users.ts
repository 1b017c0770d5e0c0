import { compareTexts } from "../auth/identity-rows.ts";
import type { User } from "../core/identities.ts";
import type { Administration } from "./administration.ts";
import { AlreadyExists } from "./already-exists.ts";
import { checkIdentifier, checkName } from "./check-input.ts";
import { noUser } from "./not-found.ts";
import { requireNeverUsed } from "./never-used.ts";
import { page } from "./page.ts";
import type { AdministrationParts } from "./parts.ts";
import { shownUser } from "./shown-user.ts";
import { takeBackTokens } from "./take-back-tokens.ts";
import { administerSignIn } from "./user-sign-in.ts";
import { administeredBy, requireGatewayAdministrator } from "./who-may.ts";

export function administerUsers(
  parts: Pick<AdministrationParts, "directory" | "storage" | "now" | "passwords">,
): Administration["users"] {
  const { directory, storage, now } = parts;
  return {
    ...administerSignIn(parts),

    list(by, options) {
      const own = administeredBy(by);
      const isTheirs = ({ id: userId }: User): boolean =>
        own === null || directory.member({ organizationId: own, userId })?.deletedAtMs === null;
      return page(
        directory.users(),
        options,
        ({ id }, after) => compareTexts(id, after) > 0,
        (user) => (user.deletedAtMs !== null) === options.deleted && isTheirs(user),
      ).map(shownUser);
    },

    add: (asked, { id, name }) =>
      directory.change(asked, async (by) => {
        requireGatewayAdministrator(by, "Adding a user");
        checkIdentifier(id, "a user");
        checkName(name, "a user");
        const there = directory.user(id);
        if (there !== undefined) throw isThere(there);
        await requireNeverUsed(storage, by, { entity: "user", entityId: id });
        const added = {
          id,
          name,
          password: null,
          disabledAtMs: null,
          createdAtMs: now(),
          deletedAtMs: null,
        };
        return { users: [added], result: shownUser(added) };
      }),

    remove: (asked, id) =>
      directory.change(asked, (by) => {
        requireGatewayAdministrator(by, "Removing a user");
        const user = directory.user(id);
        if (user?.deletedAtMs !== null) throw noUser(id);
        const atMs = now();
        const removed = { ...user, password: null, deletedAtMs: atMs };
        // Without an organisation a token acts for somebody else who is called the same.
        const tokens = directory
          .tokens()
          .filter(({ organizationId, userId }) => organizationId !== null && userId === id);
        return {
          users: [removed],
          tokens: takeBackTokens(tokens, atMs),
          result: shownUser(removed),
        };
      }),

    restore: (asked, id) =>
      directory.change(asked, (by) => {
        requireGatewayAdministrator(by, "Restoring a user");
        const user = directory.user(id);
        if (user === undefined) throw noUser(id);
        if (user.deletedAtMs === null) throw isThere(user);
        const restored = { ...user, deletedAtMs: null };
        return { users: [restored], result: shownUser(restored) };
      }),
  };
}

function isThere({ id, deletedAtMs }: User): AlreadyExists {
  return deletedAtMs === null
    ? new AlreadyExists(`There is a user "${id}" already`, "agent user list")
    : new AlreadyExists(`There is a deleted user "${id}"`, `agent user restore ${id}`);
}
