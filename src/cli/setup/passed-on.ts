import { resolve } from "node:path";
import { AppError } from "../../core/errors.ts";
import { parseServerUrl } from "../../core/url.ts";
import { isProfileName } from "../../profiles/parse-profile.ts";
import type { GlobalOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { givenFolder } from "../same-folder.ts";
import { checkedFilter } from "../selection/checked-filter.ts";
import { givenNames } from "../selection/chosen-servers.ts";

/** What of the command line the written command gets too. */
export interface PassedOptions {
  scope: "project" | "user";
  url?: string | undefined;
  profile?: string | undefined;
  preset?: string | undefined;
  tags?: readonly string[] | undefined;
  filter?: string | undefined;
  mode?: string | undefined;
  insecureHttp: boolean;
  cacert?: string | undefined;
}

/**
 * The options for the command that is written, each one word. A client that is started from a desktop has no variables
 * of a shell, so a user's file gets the folder that `ONEDOOR_CONFIG_DIR` names as well.
 * @throws AppError `usage` for what that command would refuse; a URL with a credential in it is among that
 */
export function passedOn(
  options: PassedOptions & GlobalOptions,
  { environment }: Pick<Context, "environment">,
): string[] {
  const { scope, url, profile, preset, tags = [], filter, mode, insecureHttp, cacert } = options;
  if (url !== undefined) parseServerUrl(url, { insecureHttp });
  if (profile !== undefined && !isProfileName(profile)) {
    throw new AppError("usage", "--profile is not the name of a profile", {
      hint: "agent auth status --all",
    });
  }
  if (filter !== undefined) checkedFilter(filter);
  givenNames("--tags", tags);
  const folder = scope === "user" ? options.configDir : givenFolder(options, environment);
  const values: readonly (readonly [flag: string, value: string | undefined])[] = [
    ["--url", url],
    ["--profile", profile],
    ["--preset", preset],
    ...tags.map((tag) => ["--tags", tag] as const),
    ["--filter", filter],
    ["--mode", mode],
    ["--cacert", cacert === undefined ? undefined : resolve(cacert)],
    ["--config-dir", folder === undefined ? undefined : resolve(folder)],
  ];
  const words = values.flatMap(([flag, value]) => {
    if (value === undefined) return [];
    if (value !== "" && value.length <= 2_000 && !/\p{Cc}/u.test(value))
      return [`${flag}=${value}`];
    throw new AppError("usage", `${flag} is empty, too long, or has a control character in it`);
  });
  return insecureHttp ? [...words, "--insecure-http"] : words;
}
