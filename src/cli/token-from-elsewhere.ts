import { parseServerUrl } from "../core/url.ts";
import type { CanonicalUrl } from "../core/url.ts";
import type { Bearer } from "./bearer.ts";
import type { ServerOptions } from "./command.ts";
import type { Context } from "./context.ts";
import { cleanToken } from "./sign-in/clean-token.ts";

/** A token as it was given, which wins over every saved profile. */
interface TokenFromElsewhere {
  text: string;
  source: "option" | "environment";
}

/**
 * `--token`, else `ONEDOOR_TOKEN`, which is for `ONEDOOR_URL` alone where that is set, and for any server where it is
 * not (contract §2 "Who wins when a request is sent").
 */
export function tokenFromElsewhere(
  canonical: CanonicalUrl,
  options: Pick<ServerOptions, "token">,
  { environment: { token, url } }: Pick<Context, "environment">,
): TokenFromElsewhere | undefined {
  if (options.token !== undefined) return { text: options.token, source: "option" };
  if (token === undefined || (url !== undefined && !isOf(url, canonical))) return undefined;
  return { text: token, source: "environment" };
}

function isOf(url: string, canonical: CanonicalUrl): boolean {
  try {
    return parseServerUrl(url, { insecureHttp: true }).canonical === canonical;
  } catch {
    return false;
  }
}

/** The token of `tokenFromElsewhere`, ready to be shown. @throws AppError `usage` (it is malformed) */
export function bearerFromElsewhere(
  canonical: CanonicalUrl,
  options: Pick<ServerOptions, "token">,
  context: Context,
): Bearer | undefined {
  const given = tokenFromElsewhere(canonical, options, context);
  if (given === undefined) return undefined;
  const { text, source } = given;
  const token = cleanToken(text, source === "option" ? "--token" : "ONEDOOR_TOKEN");
  context.secrets.add(token);
  return { token, source };
}

/** Says it where ONEDOOR_TOKEN wins over what is saved. @param advice what to do about that */
export function noteEnvironmentToken(canonical: CanonicalUrl, context: Context, advice = ""): void {
  if (tokenFromElsewhere(canonical, {}, context) === undefined) return;
  context.io.note(`ONEDOOR_TOKEN is set and wins over the saved profile${advice}`);
}
