import { AppError } from "../../../core/errors.ts";
import type { Profile } from "../../../profiles/profile.ts";
import type { CommandModule } from "../../command.ts";
import { loginHint } from "../../login-hint.ts";
import { serverOptions } from "../../options.ts";
import { jsonText } from "../../render/json-text.ts";
import { shownTime } from "../../render/shown-time.ts";
import { renewProfile, renews } from "../../renew-profile.ts";
import { chooseServer, environmentTokenCounts } from "../../server-choice.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";

export function createRefresh(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<object> {
  return {
    // A token from elsewhere is nobody's to refresh.
    talksToServer: false,
    options: {
      url: serverOptions.url,
      profile: serverOptions.profile,
      insecureHttp: serverOptions.insecureHttp,
      cacert: serverOptions.cacert,
      insecure: serverOptions.insecure,
    },
    examples: [
      ["agent auth refresh", "of the running gateway's profile, else of the default one"],
      ["agent auth refresh --url https://mcp.example.com --json", "for a script"],
    ],
    /**
     * With `--json`: `{url, name, refreshed, expiresAt}`; `refreshed` is false where another process has just done it.
     */
    async run(options, context) {
      const startedAtMs = context.now();
      const choice = await chooseServer({ ...options, sayServer: true }, context, dependencies);
      const { profile } = choice;
      const key = { url: choice.canonical, name: profile?.name ?? options.profile };
      if (profile === undefined) {
        throw new AppError("auth_required", `Not signed in to ${choice.canonical}`, {
          hint: loginHint(key),
        });
      }
      if (!renews(profile)) {
        const what = `The token of ${profile.url} (profile ${profile.name}) cannot be refreshed`;
        throw new AppError("usage", `${what}: it was given, and nothing came with it to renew it`, {
          hint: loginHint(key),
        });
      }
      if (environmentTokenCounts(choice.canonical, context)) {
        context.io.note("ONEDOOR_TOKEN is set and wins over the saved profile");
      }
      const isGood = ({ renewedAtMs = -Infinity }: Profile): boolean => renewedAtMs > startedAtMs;
      let isOwn = true;
      const renewed = await renewProfile(
        profile,
        (current) => !(isOwn = !isGood(current)),
        context,
        dependencies,
      );
      if (renewed === undefined) {
        throw new AppError("auth_required", `The profile of ${profile.url} was removed meanwhile`, {
          hint: loginHint(key),
        });
      }
      const { url, name, expiresAtMs } = renewed.profile;
      const expiresAt = expiresAtMs === undefined ? null : new Date(expiresAtMs).toISOString();
      const until =
        expiresAtMs === undefined ? "expiry not known" : `expires ${shownTime(expiresAtMs)}`;
      const did = isOwn ? "Refreshed" : "Another process has just refreshed";
      await context.io.out(
        options.format === "json"
          ? jsonText({ url, name, refreshed: isOwn, expiresAt }, context.io)
          : `${did} the token of ${url}; ${until}\n`,
      );
    },
  };
}

export const command = createRefresh();
