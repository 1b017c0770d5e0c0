import { isScopeToken } from "../../core/scope-token.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import type { Profile } from "../../profiles/profile.ts";
import type { ServerOptions } from "../command.ts";
import type { Context } from "../context.ts";
import { loginHint } from "../login-hint.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";

/** How a profile gets a token of more scopes. */
export interface StepUp {
  /** All that are asked for: those needed, and those the token has already. */
  scope: string;
  /** Those of them that the token has not: short enough to be shown whole wherever `login` is there. */
  added: string;
  /** The whole command. */
  hint: string;
  /** How a person does it; undefined where nobody is asked (client credentials, more scopes than can be shown). */
  login: { web?: boolean; device?: boolean; scope: string; issuer: string } | undefined;
}

/** Nobody agrees to scopes that they do not see: longer lists are not asked about, in characters. */
const longestShown = 300;

/**
 * What to do when a server says that a profile's token is for too little (MCP authorization, "Step-Up Authorization
 * Flow"). The scopes that it has are asked for as well: what it was good for it stays good for. Only the authorization
 * server that the profile was signed in at is asked, whatever other one the server names by now.
 * @param needed foreign text
 * @param options of the command that the server refused
 * @returns undefined where signing in again changes nothing: the profile is not of OAuth, the token has these scopes
 *   already, or they are none that could be asked for
 */
export async function stepUpOf(
  profile: Profile,
  needed: readonly string[],
  options: ServerOptions,
  context: Context,
  dependencies: AuthDependencies,
): Promise<StepUp | undefined> {
  const profiles = dependencies.openProfiles(context);
  const grant = (await profiles.credentialOf(profile))?.oauth;
  if (grant === undefined) return undefined;
  const granted = grant.scope?.split(" ").filter(Boolean) ?? [];
  if (!needed.every(isScopeToken)) return undefined;
  const lacking = [...new Set(needed)].filter((scope) => !granted.includes(scope));
  if (lacking.length === 0) return undefined;
  const scope = [...granted, ...lacking].join(" ");
  const added = lacking.join(" ");
  const { issuer } = grant;
  const command = (way: string): string =>
    `${loginHint(profile, options)} ${way} --scope ${quoteForShell(scope)} --issuer ${quoteForShell(issuer)}`;
  if (added.length > longestShown) {
    const hint = `It wants ${lacking.length} scopes that the token has not, too long to show: ${loginHint(profile, options)} --scope "<scopes>" asks for some`;
    return { scope, added, hint, login: undefined };
  }
  switch (grant.type) {
    case "authorization_code":
      return { scope, added, hint: command("--web"), login: { web: true, scope, issuer } };
    case "device_code":
      return { scope, added, hint: command("--device"), login: { device: true, scope, issuer } };
    case "client_credentials": {
      const { id, keyFile } = grant.client;
      const login = command(
        `--client-credentials --client-id ${quoteForShell(id)}${keyFile === undefined ? "" : ` --client-key ${quoteForShell(keyFile)}`}`,
      );
      // Where the secret came from is not kept: a program has it in a variable, which no list of processes shows.
      const hint = keyFile === undefined ? `printf '%s\\n' "$CLIENT_SECRET" | ${login}` : login;
      return { scope, added, hint, login: undefined };
    }
  }
}
