import type { ServerConfiguration } from "../core/configuration.ts";

const telling = /auth|token|passw|secret|key|cookie|credential/iu;

/** What the configuration holds that must not stand in an audit row: telling headers and variables. */
export function knownSecrets(servers: ReadonlyMap<string, ServerConfiguration>): string[] {
  const secrets = new Set<string>();
  for (const server of servers.values()) {
    const named = server.type === "http" ? server.headers : server.env;
    for (const [name, value] of Object.entries(named)) {
      if (!telling.test(name)) continue;
      secrets.add(value);
      // `Bearer abc`: the token alone is as secret as the header.
      const credential = /^\S+ +(\S+)$/u.exec(value)?.[1];
      if (credential !== undefined) secrets.add(credential);
    }
  }
  return [...secrets];
}
