import type { Directory } from "../../auth/directory.ts";
import type { Configuration } from "../../core/configuration.ts";
import { quoteForShell } from "../../core/shell-quote.ts";

/**
 * Organisations that the configuration names and that are not there: one sentence for each place. They may be made
 * later, so this is no error; misspelt, they hide a server or keep a token out.
 */
export function unknownOrganizations(
  { servers, auth }: Pick<Configuration, "servers" | "auth">,
  directory: Pick<Directory, "organization">,
): string[] {
  const isUnknown = (id: string): boolean => directory.organization(id)?.deletedAtMs !== null;
  return [
    ...[...servers.values()].flatMap(({ name, access }) =>
      access.organizations
        .filter(isUnknown)
        .map((id) => `Server ${JSON.stringify(name)} is for an organisation, but ${missing(id)}`),
    ),
    ...auth.flatMap((entry) =>
      entry.type === "token"
        ? entry.tokens.flatMap(({ name, organizationId }) =>
            organizationId !== null && isUnknown(organizationId)
              ? [`The static token ${JSON.stringify(name)} is refused: ${missing(organizationId)}`]
              : [],
          )
        : [],
    ),
  ];
}

function missing(id: string): string {
  return `there is no organisation ${JSON.stringify(id)} (agent org add ${quoteForShell(id)})`;
}
