import { isLoopbackHost } from "../core/url.ts";
import type { Bearer } from "./bearer.ts";
import type { ServerOptions } from "./command.ts";
import { sameServer } from "./same-server.ts";

/** Where nothing is saved, and no server was named. */
export const noProfileHint =
  "agent auth login --url <url>, or agent serve --background for a gateway of your own";

/** What is signed in to. */
export interface LoginKey {
  url: string;
  /** The address as it was given, where that is known: it says where an MCP server answers, and `url` does not. */
  endpoint?: string | undefined;
  name?: string | undefined;
}

/**
 * The command that makes this profile good again, or makes it. It says all that tells this server and this profile from
 * others, so that what is pasted writes over no other one.
 * @param options of the command that suggests it: how the server is reached goes along
 */
export function loginHint(
  { url, endpoint = url, name }: LoginKey,
  { cacert, insecure }: Pick<ServerOptions, "cacert" | "insecure"> = {},
): string {
  const { origin, pathname, protocol, hostname } = new URL(endpoint);
  const profile = name === "default" ? undefined : name;
  return `agent auth login${sameServer({
    // No query: it may hold a credential.
    url: origin + (pathname === "/" ? "" : pathname),
    profile,
    cacert,
    insecure,
    insecureHttp: protocol === "http:" && !isLoopbackHost(hostname),
  })}`;
}

/**
 * What to do about a refused credential. Signing in changes nothing while a token from elsewhere wins.
 * @param login the command that makes the saved profile good again
 * @param at where it was refused, and the profile that is saved for that
 */
export function refusedHint(
  source: Bearer["source"] | "flag" | undefined,
  login: string,
  { canonical, profile }: { canonical: string; profile?: unknown },
): string {
  if (source === "environment") {
    return profile === undefined
      ? `Check ONEDOOR_TOKEN: it must be a token of ${canonical} that has not expired`
      : "unset ONEDOOR_TOKEN, which wins over the saved profile";
  }
  if (source === "option" || source === "flag") return "Check the token given with --token";
  return login;
}
