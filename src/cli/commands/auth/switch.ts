import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import { parseServerUrl } from "../../../core/url.ts";
import type { Profiles } from "../../../profiles/open-profiles.ts";
import type { Profile } from "../../../profiles/profile.ts";
import type { CommandModule, ServerOptions } from "../../command.ts";
import type { Context } from "../../context.ts";
import { serverOptions } from "../../options.ts";
import { jsonText } from "../../render/json-text.ts";
import { askedProfileName } from "../../server-choice.ts";
import { authDependencies } from "../../sign-in/dependencies.ts";
import type { AuthDependencies } from "../../sign-in/dependencies.ts";

interface SwitchOptions {
  target?: string | undefined;
}

export function createSwitch(
  dependencies: AuthDependencies = authDependencies,
): CommandModule<SwitchOptions> {
  return {
    talksToServer: false,
    options: { url: serverOptions.url, profile: serverOptions.profile },
    positionals: [{ name: "target", describe: "The profile's name, or its server's URL" }],
    examples: [
      ["agent auth switch https://gw.example.com", "use this server where no gateway runs here"],
      ["agent auth switch work", "use the profile work, for its server and as the default"],
    ],
    /** With `--json`: `{url, name}`. */
    async run(options, context) {
      const profiles = dependencies.openProfiles(context);
      const saved = await profiles.list();
      const profile = await chosen(saved, options, context, profiles);
      await profiles.choose(profile);
      const { url, name } = profile;
      await context.io.out(
        options.format === "json"
          ? jsonText({ url, name }, context.io)
          : `Profile ${name} of ${url} is the default now\n`,
      );
    },
  };
}

export const command = createSwitch();

/**
 * The one profile that the words on the command line mean; of several for a URL that is named alone, the one that is
 * used there already.
 * @throws AppError `usage`, `not_found`, `auth_required`
 */
async function chosen(
  saved: readonly Profile[],
  options: SwitchOptions & ServerOptions,
  context: Context,
  profiles: Profiles,
): Promise<Profile> {
  if (saved.length === 0) {
    throw new AppError("auth_required", "No profile is saved", { hint: "agent auth login" });
  }
  const { target } = options;
  const targetIsUrl = target?.includes("://") === true;
  const urlText = options.url ?? (targetIsUrl ? target : undefined);
  const name = target !== undefined && !targetIsUrl ? target : askedProfileName(options, context);
  if (urlText === undefined && name === undefined) {
    throw new AppError("usage", "Which profile is to be the default?", { hint: listed(saved) });
  }
  const url =
    urlText === undefined ? undefined : parseServerUrl(urlText, { insecureHttp: true }).canonical;
  const fitting = saved.filter(
    (profile) =>
      (url === undefined || profile.url === url) && (name === undefined || profile.name === name),
  );
  const [only, another] = fitting;
  if (only === undefined) {
    throw new AppError("not_found", "There is no such profile", { hint: listed(saved) });
  }
  if (another !== undefined) {
    const used = url !== undefined && name === undefined && (await profiles.find(url));
    if (used) return used;
    throw new AppError("usage", `${fitting.length} profiles are meant by that`, {
      hint: listed(fitting),
    });
  }
  return only;
}

const maxListed = 10;

function listed(profiles: readonly Profile[]): string {
  const lines = profiles
    .slice(0, maxListed)
    .map(({ url, name }) => `agent auth switch ${quoteForShell(name)} --url ${quoteForShell(url)}`);
  return `${lines.join(" | ")}${profiles.length > maxListed ? " | …" : ""}`;
}
