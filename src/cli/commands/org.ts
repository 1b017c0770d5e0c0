import { createIdentityCommands } from "../administration/identity-commands.ts";
import type { IdentityCommands } from "../administration/identity-commands.ts";
import { authDependencies } from "../sign-in/dependencies.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";

export function createOrg(dependencies: AuthDependencies = authDependencies): IdentityCommands {
  return createIdentityCommands(
    {
      collection: "organizations",
      group: "org",
      one: "organisation",
      many: "organisations",
      example: ["acme", "Acme Inc."],
      removal:
        "Its members' tokens for it are dead at once, and stay so when it is restored; its servers are nobody's until then.",
    },
    dependencies,
  );
}

export const { add, list, remove, restore } = createOrg();
