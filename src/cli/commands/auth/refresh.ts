import { AppError } from "../../../core/errors.ts";
import type { Profile } from "../../../profiles/profile.ts";
import type { CommandModule } from "../../command.ts";
import { loginHint } from "../../login-hint.ts";
import { notSignedIn } from "../../not-signed-in.ts";
import { keyRingOptions } from "../../options.ts";
import { jsonText } from "../../render/json-text.ts";
import { isoTime, shownTime } from "../../render/shown-time.ts";
import { isSameToken, renewProfile, renews } from "../../renew-profile.ts";
import { chooseServer } from "../../server-choice.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";
import { noteEnvironmentToken } from "../../token-from-elsewhere.ts";

export function createRefresh(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<object> {
  return {
    // A token from elsewhere is nobody's to refresh.
    talksToServer: false,
    options: keyRingOptions,
    examples: [
      ["agent auth refresh", "of the running gateway's profile, else of the default one"],
      ["agent auth refresh --url https://mcp.example.com --json", "for a script"],
    ],
    async run(options, context) {
      const choice = await chooseServer({ ...options, sayServer: true }, context, dependencies);
      const { profile } = choice;
      const key = { url: choice.given, name: profile?.name ?? options.profile };
      if (profile === undefined) {
        throw notSignedIn(choice.canonical, loginHint(key, options), context);
      }
      if (!renews(profile)) {
        const what = `The token of ${profile.url} (profile ${profile.name}) cannot be refreshed`;
        throw new AppError("usage", `${what}: it was given, and nothing came with it to renew it`, {
          hint: `${loginHint(key, options)} < token.txt`,
        });
      }
      noteEnvironmentToken(choice.canonical, context);
      const isGood = (current: Profile): boolean => !isSameToken(current, profile);
      let isOwn = true;
      const renewed = await renewProfile(
        profile,
        (current) => !(isOwn = !isGood(current)),
        context,
        dependencies,
      );
      if (renewed === undefined) {
        throw new AppError("auth_required", `The profile of ${profile.url} was removed meanwhile`, {
          hint: loginHint(key, options),
        });
      }
      const { url, name, expiresAtMs } = renewed.profile;
      const until =
        expiresAtMs === undefined ? "expiry not known" : `expires ${shownTime(expiresAtMs)}`;
      const did = isOwn ? "Refreshed" : "Another process has just refreshed";
      await context.io.out(
        options.format === "json"
          ? jsonText({ url, name, refreshed: isOwn, expiresAt: isoTime(expiresAtMs) }, context.io)
          : `${did} the token of ${url} (profile ${name}); ${until}, renewed by itself\n`,
      );
    },
  };
}

export const command = createRefresh();
