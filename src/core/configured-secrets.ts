import type { AuthConfiguration, ServerConfiguration } from "./configuration.ts";

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
 * every value of a server's own environment, whatever its name, and the static tokens of `auth`. The
 * longest first, so that a value that contains another goes as a whole.
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
    if (entry.type !== "token") continue;
    for (const { token } of entry.tokens) values.add(token);
  }
  return [...values]
    .filter((value) => value.length >= shortestSecret && !/^(?:bearer|basic)$/iu.test(value))
    .toSorted((a, b) => b.length - a.length);
}

function valuesOf(server: ServerConfiguration): string[] {
  return server.type === "stdio"
    ? Object.entries(server.env).flatMap(([name, value]) => (inherited.test(name) ? [] : [value]))
    : Object.values(server.headers).flatMap((value) => [value].concat(value.split(/\s+/u)));
}
