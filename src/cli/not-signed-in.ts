import { shownAddress } from "../client/http-json.ts";
import { AppError } from "../core/errors.ts";
import type { CanonicalUrl } from "../core/url.ts";
import type { Context } from "./context.ts";
import { tokenFromElsewhere } from "./token-from-elsewhere.ts";

/**
 * The one error for who has shown a server no credential that it wants one of.
 * @param login the command that signs in
 */
export function notSignedIn(canonical: CanonicalUrl, login: string, context: Context): AppError {
  return new AppError("auth_required", `Not signed in to ${canonical}`, {
    hint: missingHint(canonical, login, context),
  });
}

/**
 * What helps where a credential is missing: the sign-in, unless a variable that should have held a token holds nothing.
 * Says so where there is a token, and it is for another server.
 */
export function missingHint(canonical: CanonicalUrl, login: string, context: Context): string {
  const { token, url, all } = context.environment;
  if (token !== undefined && url !== undefined && !tokenFromElsewhere(canonical, {}, context)) {
    const own = URL.canParse(url) ? shownAddress(url) : "another address";
    context.io.note(`ONEDOOR_TOKEN is for ${own} (ONEDOOR_URL) and is not sent to ${canonical}`);
  }
  return all["ONEDOOR_TOKEN"] === ""
    ? "ONEDOOR_TOKEN is empty: was the secret handed to this job?"
    : login;
}
