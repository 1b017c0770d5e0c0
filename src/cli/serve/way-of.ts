import type { SignInWay } from "../../auth/authenticator.ts";
import type { AuthConfiguration } from "../../core/configuration.ts";
import { escapeForTerminal } from "../../core/terminal-text.ts";

/** An entry whose tokens are made elsewhere. */
type OutsideEntry = Extract<
  AuthConfiguration,
  { type: "bearer" | "jwt" | "oauth" } | { type: "simple"; users: "supabase" }
>;

/** How `GET /auth` lists such an entry: what to do to get in by it, in one sentence that holds no secret. */
export function wayOf(entry: OutsideEntry): SignInWay {
  const { type } = entry;
  const show = "agent auth login --url <url> < token.txt";
  switch (entry.type) {
    case "simple":
      return {
        type,
        description: `With email address and password at ${hostOf(entry.server.url)}: agent auth login --url <url> --email <address>`,
        login: "/auth/login",
        issuer: `${entry.server.url}/auth/v1`,
      };
    case "bearer": {
      const { server } = entry;
      const at = server.kind === "supabase" ? server.url : (server.issuer ?? server.url);
      return { type, description: `With a token that ${hostOf(at)} gave you: ${show}` };
    }
    case "jwt": {
      const { issuer } = entry.rules;
      return { type, description: `With a JWT of ${hostOf(issuer)}: ${show}`, issuer };
    }
    case "oauth": {
      const { issuer, mapping } = entry;
      const { requiredScopes: scopes } = mapping;
      return {
        type,
        description: `With a token of the authorization server at ${hostOf(issuer)}: agent auth login --url <url> --web`,
        issuer,
        ...(scopes.length > 0 && { scopes }),
      };
    }
  }
}

/** An issuer may be a name that is no address. */
function hostOf(address = ""): string {
  const host = URL.canParse(address) ? new URL(address).host : "";
  return escapeForTerminal(host === "" ? address : host);
}
