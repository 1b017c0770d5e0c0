import { compareTexts } from "../auth/identity-rows.ts";
import type { Organization } from "../core/identities.ts";
import type { Administration } from "./administration.ts";
import { AlreadyExists } from "./already-exists.ts";
import { checkIdentifier, checkName } from "./check-input.ts";
import { noOrganization } from "./not-found.ts";
import { page } from "./page.ts";
import type { AdministrationParts } from "./parts.ts";
import { takeBackTokens } from "./take-back-tokens.ts";
import { administeredBy, requireGatewayAdministrator } from "./who-may.ts";

export function administerOrganizations({
  directory,
  now,
}: Pick<AdministrationParts, "directory" | "now">): Administration["organizations"] {
  return {
    list(by, options) {
      const own = administeredBy(by);
      return page(
        directory.organizations(),
        options,
        ({ id }, after) => compareTexts(id, after) > 0,
        ({ id, deletedAtMs }) =>
          (own === null || own === id) && (deletedAtMs !== null) === options.deleted,
      );
    },

    async add(by, { id, name }) {
      requireGatewayAdministrator(by, "Adding an organisation");
      checkIdentifier(id, "an organisation");
      checkName(name, "an organisation");
      return directory.change(by, () => {
        const there = directory.organization(id);
        if (there !== undefined) throw isThere(there);
        const added = { id, name, createdAtMs: now(), deletedAtMs: null };
        return { organizations: [added], result: added };
      });
    },

    async remove(by, id) {
      requireGatewayAdministrator(by, "Removing an organisation");
      return directory.change(by, () => {
        const organization = directory.organization(id);
        if (organization?.deletedAtMs !== null) throw noOrganization(id);
        const atMs = now();
        const removed = { ...organization, deletedAtMs: atMs };
        const tokens = directory.tokens().filter(({ organizationId }) => organizationId === id);
        return {
          organizations: [removed],
          tokens: takeBackTokens(tokens, atMs),
          result: removed,
        };
      });
    },

    async restore(by, id) {
      requireGatewayAdministrator(by, "Restoring an organisation");
      return directory.change(by, () => {
        const organization = directory.organization(id);
        if (organization === undefined) throw noOrganization(id);
        if (organization.deletedAtMs === null) throw isThere(organization);
        const restored = { ...organization, deletedAtMs: null };
        return { organizations: [restored], result: restored };
      });
    },
  };
}

function isThere({ id, deletedAtMs }: Organization): AlreadyExists {
  return deletedAtMs === null
    ? new AlreadyExists(`There is an organisation "${id}" already`)
    : new AlreadyExists(`There is a deleted organisation "${id}"`, `agent org restore ${id}`);
}
