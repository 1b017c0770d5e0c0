import { compareTexts } from "../auth/identity-rows.ts";
import type { Organization } from "../core/identities.ts";
import type { Administration } from "./administration.ts";
import { AlreadyExists } from "./already-exists.ts";
import { checkIdentifier, checkName } from "./check-input.ts";
import { noOrganization } from "./not-found.ts";
import { requireNeverUsed } from "./never-used.ts";
import { page } from "./page.ts";
import type { AdministrationParts } from "./parts.ts";
import { takeBackTokens } from "./take-back-tokens.ts";
import { administeredBy, requireGatewayAdministrator } from "./who-may.ts";

export function administerOrganizations({
  directory,
  storage,
  now,
}: Pick<AdministrationParts, "directory" | "storage" | "now">): Administration["organizations"] {
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

    add: (asked, { id, name }) =>
      directory.change(asked, async (by) => {
        requireGatewayAdministrator(by, "Adding an organisation");
        checkIdentifier(id, "an organisation");
        checkName(name, "an organisation");
        const there = directory.organization(id);
        if (there !== undefined) throw isThere(there);
        await requireNeverUsed(storage, by, { entity: "organization", entityId: id });
        const added = { id, name, createdAtMs: now(), deletedAtMs: null };
        return { organizations: [added], result: added };
      }),

    remove: (asked, id) =>
      directory.change(asked, (by) => {
        requireGatewayAdministrator(by, "Removing an organisation");
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
      }),

    restore: (asked, id) =>
      directory.change(asked, (by) => {
        requireGatewayAdministrator(by, "Restoring an organisation");
        const organization = directory.organization(id);
        if (organization === undefined) throw noOrganization(id);
        if (organization.deletedAtMs === null) throw isThere(organization);
        const restored = { ...organization, deletedAtMs: null };
        return { organizations: [restored], result: restored };
      }),
  };
}

function isThere({ id, deletedAtMs }: Organization): AlreadyExists {
  return deletedAtMs === null
    ? new AlreadyExists(`There is an organisation "${id}" already`, "agent org list")
    : new AlreadyExists(`There is a deleted organisation "${id}"`, `agent org restore ${id}`);
}
