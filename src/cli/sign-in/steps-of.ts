import type { ServerKind } from "../../client/identify.ts";
import type { OfferedWay } from "../../client/probe-authentication.ts";
import { quoteForShell } from "../../core/shell-quote.ts";
import { oneLine } from "../../core/terminal-text.ts";
import type { BearerChallenge } from "../../oauth/oauth.ts";

/** Characters of what a server says of one way. */
const longestDescription = 120;

export interface SteppedServer {
  /** The command that signs in there, without a way. */
  login: string;
  own: boolean;
  kind?: ServerKind | undefined;
  challenge?: BearerChallenge | undefined;
  organization?: string | undefined;
  /** Whether somebody is there to be asked; programs are told first what needs nobody. */
  person: boolean;
}

/**
 * The ways in that exist for a server, each a command that can be pasted, with what there is to say of it behind: none
 * of them shows a secret to who lists processes.
 * @param ways what the server offers; undefined where it was not asked
 * @param server.own whether it is the running gateway of this user
 * @param server.kind what it is; a gateway unless said
 * @param server.challenge what its refusal said about getting a token
 */
export function stepsOf(ways: readonly OfferedWay[] | undefined, server: SteppedServer): string {
  const { login, own, kind, challenge, person } = server;
  /** Which tokens a file may hold: one command for all of them. */
  const tokens = new Set<string>();
  const local: string[] = [];
  const forPeople: string[] = [];
  const forPrograms: string[] = [];
  const others: string[] = [];
  const offerOAuth = (at: string): void => {
    const where = at === "" ? "" : `at ${at}; `;
    forPeople.push(`${login} --web (${where}--device where there is no browser)`);
    forPrograms.push(`${login} --client-credentials --client-id <id> (its secret on stdin)`);
    if (!person) tokens.add("");
  };
  for (const way of ways ?? []) {
    const { type, description, issuer } = way;
    switch (type) {
      case "local":
        if (own) local.push(`${login} --local`);
        else {
          others.push(`${login} --local (on its machine, as the user that it runs as)`);
          tokens.add("a token of that gateway");
        }
        break;
      case "token":
        tokens.add(
          kind === "mcp" ? "a token that its operator gave you" : "a token from its configuration",
        );
        break;
      case "jwt":
      case "bearer":
        tokens.add(named(type, description));
        break;
      case "oauth":
        offerOAuth(hostOf(issuer));
        break;
      case "simple": {
        const { organization } = server;
        const more =
          organization === undefined ? "" : ` --organization ${quoteForShell(organization)}`;
        const byPassword = `${login} --email <address>${more}`;
        if (person) forPeople.push(byPassword);
        else forPrograms.push(`${byPassword} < password.txt`);
        break;
      }
      default:
        others.push(oneLine(`${type}: ${description}`, longestDescription));
    }
  }
  // It names an authorization server (RFC 9728 §5.1), which is what a browser can sign in at.
  if (kind === "mcp" && challenge?.resourceMetadata !== undefined) offerOAuth("");
  const said = [...tokens].filter(Boolean).join(", or ");
  const all = `${login} < token.txt${said === "" ? "" : ` (${said})`}`;
  const onTerminal = forPeople.map((way) => (person ? way : `on a terminal: ${way}`));
  const fromFile = tokens.size > 0 ? [all] : [];
  const steps = person
    ? [...local, ...onTerminal, ...fromFile, ...others]
    : [...local, ...fromFile, ...forPrograms, ...onTerminal, ...others];
  return steps.join("; or ") || all;
}

function hostOf(issuer: string | undefined): string {
  return issuer !== undefined && URL.canParse(issuer) ? new URL(issuer).host : "";
}

/** What tokens there are, as a gateway describes it, without the command at its end, which names no address. */
function named(type: string, description: string): string {
  const words = description.replace(/: (?:agent |POST ).*$/su, "").replace(/^With /u, "");
  return oneLine(words === "" ? type : words, longestDescription);
}
