import { quoteForShell } from "../core/shell-quote.ts";
import type { Bearer } from "./profile-bearer.ts";

/** The command that makes this profile good again. */
export function loginHint(key: { url: string; name?: string | undefined }): string {
  const name = key.name === undefined || key.name === "default" ? "" : ` --profile ${key.name}`;
  return `agent auth login --url ${quoteForShell(key.url)}${name}`;
}

/**
 * What to do about a refused credential. Signing in changes nothing while a token from elsewhere wins.
 * @param login the command that makes the saved profile good again
 */
export function refusedHint(source: Bearer["source"] | "flag", login: string): string {
  if (source === "environment") return "unset ONEDOOR_TOKEN, which wins over the saved profile";
  if (source === "option" || source === "flag") return "Check the token given with --token";
  return login;
}
