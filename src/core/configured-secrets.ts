import type {
  AuthConfiguration,
  IntrospectionServer,
  JwtRules,
  ServerConfiguration,
  SupabaseServer,
} from "./configuration.ts";

/**
 * What every program inherits is no secret, and cutting HOME out of paths would hide what matters. The
 * second line is what Windows adds (config/child-environment.ts).
 */
const inherited = new RegExp(
  "^(?:PATH|HOME|LANG|LANGUAGE|TMPDIR|LC_.*" +
    "|(?:LOCAL)?APPDATA|COMSPEC|HOMEDRIVE|HOMEPATH|PATHEXT|PROCESSOR_ARCHITECTURE|PROGRAMDATA" +
    String.raw`|PROGRAMFILES(?:\(X86\))?|PROGRAMW6432|SYSTEMDRIVE|SYSTEMROOT|TE?MP|USERNAME|USERPROFILE|WINDIR)$`,
  "iu",
);
/** Shorter values (`1`, `true`, `3000`) are no secrets and would cut holes into ordinary words. */
const shortestSecret = 6;

/**
 * What may be secret of the configuration: every header value (whole, and word by word, for `Bearer abc`),
 * every value of a server's own environment, whatever its name, what `${secret:…}` put anywhere, and of `auth` the static tokens and what the
 * gateway shows to auth servers or shares with them. The longest first, so that a value that contains another goes as a whole.
 */
export function configuredSecrets(
  servers: Iterable<ServerConfiguration>,
  auth: readonly AuthConfiguration[] = [],
): string[] {
  const values = new Set<string>();
  for (const server of servers) {
    for (const value of valuesOf(server)) values.add(value);
  }
  for (const entry of auth) {
    for (const value of secretsOf(entry)) values.add(value);
  }
  return [...values]
    .filter((value) => value.length >= shortestSecret && !/^(?:bearer|basic)$/iu.test(value))
    .toSorted((a, b) => b.length - a.length);
}

function valuesOf(server: ServerConfiguration): string[] {
  const written =
    server.type === "stdio"
      ? Object.entries(server.env).flatMap(([name, value]) => (inherited.test(name) ? [] : [value]))
      : Object.values(server.headers).flatMap((value) => [value].concat(value.split(/\s+/u)));
  return written.concat(server.secrets ?? []);
}

function secretsOf(entry: AuthConfiguration): string[] {
  switch (entry.type) {
    case "token":
      return entry.tokens.map(({ token }) => token);
    case "simple":
      return entry.users === "own" ? [] : serverSecrets(entry.server);
    case "bearer":
      return serverSecrets(entry.server);
    case "jwt":
      return ruleSecrets(entry.rules);
    case "oauth":
      return entry.check.kind === "jwt" ? ruleSecrets(entry.check) : serverSecrets(entry.check);
    case "local":
    case "none":
      return [];
  }
}

/** An anonymous key is public, but says which project it is, and nobody needs it in a log. */
function serverSecrets(server: SupabaseServer | IntrospectionServer): string[] {
  return [server.kind === "supabase" ? server.anonKey : server.clientSecret];
}

function ruleSecrets({ keys }: JwtRules): string[] {
  return keys.kind === "secret" ? [keys.secret] : [];
}
