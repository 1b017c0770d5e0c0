import { quoteForShell } from "../../core/shell-quote.ts";
import type { Profile } from "../../profiles/profile.ts";
import type { Context } from "../context.ts";
import { loginHint } from "../login-hint.ts";
import type { AuthDependencies } from "../sign-in/dependencies.ts";

/** How a profile gets a token of more scopes. */
export interface StepUp {
  /** All that are asked for: those needed, and those the token has already. */
  scope: string;
  /** The whole command. */
  hint: string;
  /** How a person does it; undefined where nobody is asked (client credentials). */
  login: { web?: boolean; device?: boolean; scope: string } | undefined;
}

/** RFC 6749 §3.3 `scope-token`. */
const scopeToken = /^[\x21\x23-\x5b\x5d-\x7e]+$/u;

/**
 * What to do when a server says that a profile's token is for too little (MCP authorization, "Step-Up Authorization
 * Flow"). The scopes that it has are asked for as well: what it was good for it stays good for.
 * @param needed foreign text
 * @returns undefined where signing in again changes nothing: the profile is not of OAuth, the token has these scopes
 *   already, or they are none that could be asked for
 */
export async function stepUpOf(
  profile: Profile,
  needed: readonly string[],
  context: Context,
  dependencies: AuthDependencies,
): Promise<StepUp | undefined> {
  const profiles = dependencies.openProfiles(context);
  const grant = (await profiles.credentialOf(profile))?.oauth;
  if (grant === undefined) return undefined;
  const granted = grant.scope?.split(" ").filter(Boolean) ?? [];
  if (!needed.every((scope) => scopeToken.test(scope))) return undefined;
  if (needed.every((scope) => granted.includes(scope))) return undefined;
  const scope = [...new Set([...granted, ...needed])].join(" ");
  const command = (way: string): string =>
    `${loginHint(profile)} ${way} --scope ${quoteForShell(scope)}`;
  switch (grant.type) {
    case "authorization_code":
      return { scope, hint: command("--web"), login: { web: true, scope } };
    case "device_code":
      return { scope, hint: command("--device"), login: { device: true, scope } };
    case "client_credentials": {
      const { id, keyFile } = grant.client;
      const proof =
        keyFile === undefined
          ? "--client-secret-file client-secret.txt"
          : `--client-key ${quoteForShell(keyFile)}`;
      const way = `--client-credentials --client-id ${quoteForShell(id)} ${proof}`;
      return { scope, hint: command(way), login: undefined };
    }
  }
}
