import { createHash, timingSafeEqual } from "node:crypto";
import type { Role } from "../core/principal.ts";
import type { Authenticator } from "./authenticator.ts";

/** One token of the configuration (`auth.options.tokens`). */
export interface StaticToken {
  /** Who shows it: the principal's user id. */
  name: string;
  token: string;
  role: Role;
}

/**
 * Accepts the tokens written in the configuration. Every token is compared, by digest and in constant time,
 * so that the time taken tells neither how much of a guess was right nor which token it was.
 */
export function createStaticTokenAuthenticator(tokens: readonly StaticToken[]): Authenticator {
  const known = tokens.map(({ name, token, role }) => ({ name, role, digest: digestOf(token) }));
  return {
    way: {
      type: "token",
      description:
        "With a token from the gateway's configuration: agent auth login --token <token>",
    },
    authenticate({ bearer }) {
      if (bearer === undefined) {
        return { kind: "absent" };
      }
      const shown = digestOf(bearer);
      let match: (typeof known)[number] | undefined;
      for (const candidate of known) {
        if (timingSafeEqual(candidate.digest, shown)) {
          match ??= candidate;
        }
      }
      if (match === undefined) {
        return { kind: "not-mine" };
      }
      return {
        kind: "accepted",
        principal: {
          userId: match.name,
          displayName: match.name,
          organizationId: null,
          role: match.role,
          scopes: [],
          method: "token",
        },
      };
    },
  };
}

function digestOf(token: string): Buffer {
  return createHash("sha256").update(token).digest();
}
