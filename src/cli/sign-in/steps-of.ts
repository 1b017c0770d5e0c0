import { shownAddress } from "../../client/http-json.ts";
import type { ServerKind } from "../../client/identify.ts";
import type { OfferedWay } from "../../client/probe-authentication.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { oneLine } from "../../core/terminal-text.ts";
import type { BearerChallenge } from "../../oauth/oauth.ts";

/** Characters of what a server says of one way. */
const longestDescription = 120;

export interface SteppedServer {
  url: string;
  own: boolean;
  kind?: ServerKind | undefined;
  challenge?: BearerChallenge | undefined;
}

/**
 * The ways in that exist for a server, each with a command that can be pasted: none of them shows a secret to who lists
 * processes.
 * @param ways what the server offers; undefined where it was not asked
 * @param server.own whether it is the running gateway of this user
 * @param server.kind what it is; a gateway unless said
 * @param server.challenge what its refusal said about getting a token
 */
export function stepsOf(
  ways: readonly OfferedWay[] | undefined,
  { url, own, kind, challenge }: SteppedServer,
): string {
  const login = `agent auth login --url ${quoteForShell(shownAddress(url))}`;
  const fromFile = `${login} < token.txt`;
  const lines = (ways ?? []).map(({ type, description }) => {
    switch (type) {
      case "local":
        return own
          ? `${login} --local`
          : `${login} --local on the machine and as the user that its gateway runs as, or with a token of it: ${fromFile}`;
      case "token":
        return kind === "mcp"
          ? `with a token that its operator gave you: ${fromFile}`
          : `with a token from its configuration: ${fromFile}`;
      case "jwt":
      case "bearer":
        return `${named(type, description)}: ${fromFile}`;
      case "oauth":
        return `${named(type, description)}: ${byOAuth(login)}`;
      case "simple":
        return `${named(type, description)}: ${login} --email <address>`;
      default:
        return oneLine(`${type}: ${description}`, longestDescription);
    }
  });
  // It names an authorization server (RFC 9728 §5.1), which is what a browser can sign in at.
  if (kind === "mcp" && challenge?.resourceMetadata !== undefined)
    lines.unshift(`in the browser: ${byOAuth(login)}`);
  return `Ways to sign in: ${[...new Set(lines)].join("; ") || fromFile}`;
}

function byOAuth(login: string): string {
  return `${login} --web (--device where there is no browser)`;
}

/** The type and the description as a gateway gives it, without the command at its end, which names no address. */
function named(type: string, description: string): string {
  const words = description.replace(/: (?:agent |POST ).*$/su, "");
  return words === "" ? type : oneLine(`${type}: ${words}`, longestDescription);
}
