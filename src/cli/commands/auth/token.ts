import type { CommandModule } from "../../command.ts";
import { jsonText } from "../../render/json-text.ts";
import { bearerFor, chooseServer } from "../../server-choice.ts";
import { loginHint } from "../../login-hint.ts";
import { notSignedIn } from "../../not-signed-in.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";

interface TokenOptions {
  header: boolean;
}

export function createToken(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<TokenOptions> {
  return {
    talksToServer: true,
    options: { header: { type: "boolean", describe: "As an Authorization header" } },
    examples: [
      [
        "agent auth token --header | curl -H @- https://gw.example.com/status",
        "show the token to curl and not to ps",
      ],
    ],
    async run(options, context) {
      const choice = await chooseServer(options, context, dependencies);
      const { token } = await bearerFor(choice, options, context, dependencies);
      if (token === undefined) {
        const login = loginHint({ url: choice.given, name: options.profile }, options);
        throw notSignedIn(choice.canonical, login, context);
      }
      const header = `Authorization: Bearer ${token}`;
      if (options.format === "json") {
        const shown = options.header ? { header } : { token };
        await context.io.out(jsonText({ url: choice.canonical, ...shown }, context.io), {
          exact: true,
        });
      } else {
        await context.io.out(`${options.header ? header : token}\n`, { exact: true });
      }
    },
  };
}

export const command = createToken();
