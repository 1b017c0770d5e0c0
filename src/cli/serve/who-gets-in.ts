import type {
  AuthConfiguration,
  Configuration,
  IdentityMapping,
  StaticToken,
} from "../../core/configuration.ts";
import { escapeForTerminal } from "../../core/terminal-text.ts";

interface Place {
  /** The operating-system user who runs the gateway. */
  owner: string;
  /** Whether it listens on this machine alone. */
  loopback: boolean;
}

/** One sentence on who can get in, and how: the first line of the gateway's log. It never holds a secret. */
export function whoGetsIn(
  { auth, externalUrl }: Pick<Configuration, "auth" | "externalUrl">,
  { owner, loopback }: Place,
): string {
  const from = loopback && externalUrl === undefined ? "on this machine" : "that can reach it";
  return `Who gets in: ${auth.map((entry) => wayIn(entry, owner, from)).join("; ")}`;
}

function wayIn(entry: AuthConfiguration, owner: string, from: string): string {
  switch (entry.type) {
    case "local":
      return `the user ${owner} on this machine, with a token from "agent auth login", and whoever shows a token from "agent token create"`;
    case "token": {
      const count =
        entry.tokens.length === 1 ? "the token" : `one of the ${entry.tokens.length} tokens`;
      return `every program ${from} with ${count} of the configuration${whatTheyMay(entry.tokens)}`;
    }
    case "simple":
      return entry.users === "own"
        ? "users with a password (agent user passwd), by email address and password at POST /auth/login, as members of their organisation"
        : `whoever has a password at ${hostOf(entry.server.url)}, by email address and password at POST /auth/login${whatTheyAre(entry.mapping)}`;
    case "bearer": {
      const at =
        entry.server.kind === "supabase"
          ? entry.server.url
          : (entry.server.url ?? entry.server.issuer);
      return `whoever shows a token that ${hostOf(at ?? "")} confirms${whatTheyAre(entry.mapping)}`;
    }
    case "jwt": {
      const { issuer, audience, keys } = entry.rules;
      const signed = keys.kind === "secret" ? ", signed with the secret of the configuration" : "";
      return `whoever shows a JWT of ${hostOf(issuer)} for ${audience.map(shown).join(" or ")}${signed}${whatTheyAre(entry.mapping)}`;
    }
    case "oauth":
      return `whoever signs in at ${hostOf(entry.issuer)}${whatTheyAre(entry.mapping)}`;
    case "none":
      return "everybody on this machine, without any sign-in";
  }
}

/** `gate.example:8443`; an issuer may be a name that is no address. */
function hostOf(address: string): string {
  const host = URL.canParse(address) ? new URL(address).host : "";
  return host === "" ? shown(address) : host;
}

function shown(text: string): string {
  return escapeForTerminal(JSON.stringify(text));
}

/** ` (editor unless the claim app_metadata.role says otherwise, in acme)`. */
function whatTheyAre({ claims, role, organizationId, requiredScopes }: IdentityMapping): string {
  const otherwise = role === null ? "without any role" : `as ${role}`;
  const as =
    claims.role === undefined
      ? otherwise
      : `with the role in the claim ${claimName(claims.role)}, else ${otherwise}`;
  const inside =
    claims.organization === undefined
      ? organizationId === null
        ? "in no organisation"
        : `in ${organizationId}`
      : `in the organisation in the claim ${claimName(claims.organization)}`;
  const scopes =
    requiredScopes.length === 0
      ? []
      : [`with the scope ${requiredScopes.map(shown).join(" and ")}`];
  return ` (${[as, inside, ...scopes].join(", ")})`;
}

function claimName(path: readonly string[]): string {
  return escapeForTerminal(path.join("."));
}

const mostNamed = 5;

/** ` (2 as viewer in acme, 1 as admin)`. */
function whatTheyMay(tokens: readonly StaticToken[]): string {
  const counts = new Map<string, number>();
  for (const { role, organizationId } of tokens) {
    const as = organizationId === null ? role : `${role} in ${organizationId}`;
    counts.set(as, (counts.get(as) ?? 0) + 1);
  }
  const all = [...counts].map(([as, count]) =>
    tokens.length === 1 ? `as ${as}` : `${count} as ${as}`,
  );
  const more = all.length > mostNamed ? [`and ${all.length - mostNamed} kinds more`] : [];
  return ` (${[...all.slice(0, mostNamed), ...more].join(", ")})`;
}
