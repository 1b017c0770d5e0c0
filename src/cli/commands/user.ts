import { createIdentityCommands } from "../administration/identity-commands.ts";
import type { IdentityCommands } from "../administration/identity-commands.ts";
import { authDependencies } from "../sign-in/dependencies.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";

export function createUser(dependencies: AuthDependencies = authDependencies): IdentityCommands {
  return createIdentityCommands(
    {
      collection: "users",
      group: "user",
      one: "user",
      many: "users",
      example: ["bob@example.com", "Bob"],
      removal: "The user's tokens are dead at once, and stay so when the user is restored.",
    },
    dependencies,
  );
}

export const { add, list, remove, restore } = createUser();
