import { compareTexts } from "../auth/identity-rows.ts";
import type { User } from "../core/identities.ts";
import type { Administration } from "./administration.ts";
import { AlreadyExists } from "./already-exists.ts";
import { checkIdentifier, checkName } from "./check-input.ts";
import { noUser } from "./not-found.ts";
import { page } from "./page.ts";
import type { AdministrationParts } from "./parts.ts";
import { takeBackTokens } from "./take-back-tokens.ts";
import { administeredBy, requireGatewayAdministrator } from "./who-may.ts";

export function administerUsers({
  directory,
  now,
}: Pick<AdministrationParts, "directory" | "now">): Administration["users"] {
  return {
    list(by, options) {
      const own = administeredBy(by);
      const isTheirs = ({ id: userId }: User): boolean =>
        own === null || directory.member({ organizationId: own, userId })?.deletedAtMs === null;
      return page(
        directory.users(),
        options,
        ({ id }, after) => compareTexts(id, after) > 0,
        (user) => (user.deletedAtMs !== null) === options.deleted && isTheirs(user),
      );
    },

    async add(by, { id, name }) {
      requireGatewayAdministrator(by, "Adding a user");
      checkIdentifier(id, "a user");
      checkName(name, "a user");
      return directory.change(by, () => {
        const there = directory.user(id);
        if (there !== undefined) throw isThere(there);
        const added = { id, name, createdAtMs: now(), deletedAtMs: null };
        return { users: [added], result: added };
      });
    },

    async remove(by, id) {
      requireGatewayAdministrator(by, "Removing a user");
      return directory.change(by, () => {
        const user = directory.user(id);
        if (user?.deletedAtMs !== null) throw noUser(id);
        const atMs = now();
        const removed = { ...user, deletedAtMs: atMs };
        // Without an organisation a token acts for somebody else who is called the same.
        const tokens = directory
          .tokens()
          .filter(({ organizationId, userId }) => organizationId !== null && userId === id);
        return { users: [removed], tokens: takeBackTokens(tokens, atMs), result: removed };
      });
    },

    async restore(by, id) {
      requireGatewayAdministrator(by, "Restoring a user");
      return directory.change(by, () => {
        const user = directory.user(id);
        if (user === undefined) throw noUser(id);
        if (user.deletedAtMs === null) throw isThere(user);
        const restored = { ...user, deletedAtMs: null };
        return { users: [restored], result: restored };
      });
    },
  };
}

function isThere({ id, deletedAtMs }: User): AlreadyExists {
  return deletedAtMs === null
    ? new AlreadyExists(`There is a user "${id}" already`)
    : new AlreadyExists(`There is a deleted user "${id}"`, `agent user restore ${id}`);
}
