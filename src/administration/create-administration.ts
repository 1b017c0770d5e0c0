import { requireStanding } from "../auth/standing.ts";
import { AppError } from "../core/errors.ts";
import type { Administration } from "./administration.ts";
import { administerMembers } from "./members.ts";
import { administerOrganizations } from "./organizations.ts";
import type { AdministrationParts } from "./parts.ts";
import { readRecords, shownChange } from "./records.ts";
import { administerTokens } from "./tokens.ts";
import { administerUsers } from "./users.ts";
import { requireGatewayAdministrator } from "./who-may.ts";

/** All that administrators may do, over the directory; who may what is said at `Administration`. */
export function createAdministration(parts: AdministrationParts): Administration {
  const { directory, serverHistory, now } = parts;
  return {
    organizations: administerOrganizations(parts),
    users: administerUsers(parts),
    members: administerMembers(parts),
    tokens: administerTokens(parts),
    ...readRecords(parts),

    purge: (asked, beforeMs) =>
      directory.purge(asked, (by) => {
        requireGatewayAdministrator(by, "Purging");
        // A time to come would remove tokens that are good until then.
        if (!Number.isSafeInteger(beforeMs) || beforeMs < 0 || beforeMs > now()) {
          throw new AppError("usage", "Only what was deleted in the past can be purged", {
            hint: "Give a date that is not in the future",
          });
        }
        return beforeMs;
      }),

    async restoreServer(asked, name) {
      const { row, ...restored } = await serverHistory.restore(name, () => {
        const by = requireStanding(directory, asked);
        requireGatewayAdministrator(by, "Restoring a server");
        return by;
      });
      return { name, from: shownChange(row), ...restored };
    },
  };
}
