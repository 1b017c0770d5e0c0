import type { Directory } from "../../auth/directory.ts";
import type { AuthConfiguration, Configuration } from "../../core/configuration.ts";
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
    ...auth.flatMap((entry) => unknownOfEntry(entry, isUnknown)),
  ];
}

function unknownOfEntry(entry: AuthConfiguration, isUnknown: (id: string) => boolean): string[] {
  if (entry.type === "token") {
    return entry.tokens.flatMap(({ name, organizationId }) =>
      organizationId !== null && isUnknown(organizationId)
        ? [`The static token ${JSON.stringify(name)} is refused: ${missing(organizationId)}`]
        : [],
    );
  }
  // What a claim names is not known before somebody shows it.
  const organizationId = "mapping" in entry ? entry.mapping.organizationId : null;
  return organizationId !== null && isUnknown(organizationId)
    ? [`Whoever gets in by "${entry.type}" may do nothing: ${missing(organizationId)}`]
    : [];
}

function missing(id: string): string {
  return `there is no organisation ${JSON.stringify(id)} (agent org add ${quoteForShell(id)})`;
}
