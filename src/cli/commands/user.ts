import { createIdentityCommands } from "../administration/identity-commands.ts";
import type { IdentityCommands } from "../administration/identity-commands.ts";
import { createUserSignInCommands, signInOf } from "../administration/user-sign-in-commands.ts";
import type { UserSignInCommands } from "../administration/user-sign-in-commands.ts";
import { authDependencies } from "../sign-in/dependencies.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";

export function createUser(
  dependencies: AuthDependencies = authDependencies,
): IdentityCommands & UserSignInCommands {
  const identities = createIdentityCommands(
    {
      collection: "users",
      group: "user",
      one: "user",
      many: "users",
      example: ["bob@example.com", "Bob"],
      removal:
        "The user's tokens are dead at once and the password is forgotten, and both stay so when the user is restored.",
      column: { head: "SIGN-IN", cell: signInOf },
    },
    dependencies,
  );
  return { ...identities, ...createUserSignInCommands(dependencies) };
}

export const { add, list, remove, restore, disable, enable, passwd } = createUser();
