import { shownAddress } from "../../client/http-json.ts";
import type { OfferedWay } from "../../client/probe-authentication.ts";
import { baseOf } from "../../client/server-address.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { oneLine } from "../../core/terminal-text.ts";

/** Characters of what a server says of one way. */
const longestDescription = 120;

/**
 * The ways in that exist for a server, each with a command that can be pasted: none of them shows a secret to who lists
 * processes.
 * @param ways what the server offers; undefined where it was not asked
 * @param server.own whether it is the running gateway of this user
 */
export function stepsOf(
  ways: readonly OfferedWay[] | undefined,
  { url, own }: { url: string; own: boolean },
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
        return `with a token from its configuration: ${fromFile}`;
      case "jwt":
      case "bearer":
      case "oauth":
        return `${lead(type, description)}: ${fromFile}`;
      case "simple":
        return `${lead(type, description)}, which stand in login.json as {"email": "…", "password": "…"}: ${byPassword(url, login)}`;
      default:
        return oneLine(`${type}: ${description}`, longestDescription);
    }
  });
  return `Ways to sign in: ${[...new Set(lines)].join("; ") || fromFile}`;
}

/** A description as a gateway gives it, without the command at its end, which names no address. */
function lead(type: string, description: string): string {
  const words = description.replace(/: (?:agent |POST ).*$/su, "");
  return words === "" ? type : oneLine(`${type}: ${words}`, longestDescription);
}

/** The password is in a file: on a command line it could be seen with ps. */
function byPassword(url: string, login: string): string {
  const at = quoteForShell(`${baseOf(url)}/auth/login`);
  return `curl -s ${at} -H 'Content-Type: application/json' -d @login.json | jq -r .access_token | ${login}`;
}
