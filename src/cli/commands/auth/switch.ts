import { AppError } from "../../../core/errors.ts";
import { quoteForShell } from "../../../core/shell-quote.ts";
import { parseServerUrl } from "../../../core/url.ts";
import type { Profiles } from "../../../profiles/open-profiles.ts";
import type { Profile } from "../../../profiles/profile.ts";
import type { CommandModule, ServerOptions } from "../../command.ts";
import type { Context } from "../../context.ts";
import { noProfileHint } from "../../login-hint.ts";
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
    async run(options, context) {
      const profiles = dependencies.openProfiles(context);
      const saved = await profiles.list();
      const profile = await chosen(saved, options, context, profiles);
      await profiles.choose(profile, context.deadline.signal);
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
    throw new AppError("auth_required", "No profile is saved", { hint: noProfileHint });
  }
  const { target } = options;
  const targetIsUrl = target?.includes("://") === true;
  const urlText = options.url ?? (targetIsUrl ? target : undefined);
  const name = target !== undefined && !targetIsUrl ? target : askedProfileName(options, context);
  if (urlText === undefined && name === undefined) {
    throw new AppError("usage", "Which profile is to be the default?", { hint: listHint });
  }
  const url =
    urlText === undefined ? undefined : parseServerUrl(urlText, { insecureHttp: true }).canonical;
  const fitting = saved.filter(
    (profile) =>
      (url === undefined || profile.url === url) && (name === undefined || profile.name === name),
  );
  const [only, another] = fitting;
  if (only === undefined) {
    throw noSuchProfile(saved, { url, name });
  }
  if (another !== undefined) {
    const used = url !== undefined && name === undefined && (await profiles.find(url));
    if (used) return used;
    const urls = enumerated(fitting.map((profile) => profile.url));
    throw new AppError("usage", `There is a profile "${only.name}" for each of ${urls}`, {
      hint: switchTo(only),
    });
  }
  return only;
}

function noSuchProfile(
  saved: readonly Profile[],
  { url, name }: { url: string | undefined; name: string | undefined },
): AppError {
  const what = name === undefined ? "profile" : `profile "${name}"`;
  const at = url === undefined ? "" : ` for ${url}`;
  const [first, ...others] = saved.filter((profile) => profile.url === url);
  if (first === undefined) {
    return new AppError("not_found", `There is no ${what}${at}`, { hint: listHint });
  }
  const names = enumerated([first, ...others].map((profile) => profile.name));
  const there = `there ${others.length === 0 ? "is" : "are"} ${names}`;
  return new AppError("not_found", `There is no ${what}${at}; ${there}`, { hint: switchTo(first) });
}

const listHint = "agent auth status --all lists them";
/** How many are named in a message. */
const maxNamed = 10;

function enumerated(words: readonly string[]): string {
  const named = words.slice(0, maxNamed);
  const rest = words.length - named.length;
  const all = rest === 0 ? named : [...named, `${rest} more`];
  const last = all.pop() ?? "";
  return all.length === 0 ? last : `${all.join(", ")} and ${last}`;
}

function switchTo({ url, name }: Profile): string {
  return `agent auth switch ${quoteForShell(name)} --url ${quoteForShell(url)}`;
}
