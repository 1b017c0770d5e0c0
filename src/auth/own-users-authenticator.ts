import type { MintedToken } from "../core/identities.ts";
import type { Authenticator } from "./authenticator.ts";
import type { Directory } from "./directory.ts";
import { hashToken, isMintedToken, mintedTokenPrefix } from "./minted-token-format.ts";
import { tokenPrincipal } from "./token-principal.ts";

const unknown = { kind: "rejected", reason: "The token is not known here" } as const;

/**
 * Type `simple` with users of the gateway's own store: accepts the access tokens of their sessions, without waiting
 * for anything. Other minted tokens are the local authenticator's; what it does not know itself is good nowhere.
 */
export function createOwnUsersAuthenticator(options: {
  directory: Pick<Directory, "findToken" | "roleIn" | "user">;
  /** Milliseconds since the epoch. */
  now: () => number;
}): Authenticator {
  const { directory, now } = options;
  const isOver = ({ expiresAtMs }: MintedToken): boolean =>
    expiresAtMs === null || expiresAtMs <= now();
  return {
    way: {
      type: "simple",
      description:
        "With email address and password: agent auth login --url <url> --email <address>",
      login: "/auth/login",
    },
    authenticate({ bearer }) {
      if (bearer === undefined) return { kind: "absent" };
      if (!bearer.startsWith(mintedTokenPrefix)) return { kind: "not-mine" };
      const token = isMintedToken(bearer) ? directory.findToken(hashToken(bearer)) : undefined;
      if (token === undefined) return unknown;
      if (!isSession(token)) return { kind: "not-mine" };
      if (isOver(token)) return { kind: "rejected", reason: "The session's token has expired" };
      const principal = tokenPrincipal(token, directory);
      return principal === undefined ? unknown : { kind: "accepted", principal };
    },
    renew({ tokenHash }) {
      const token = tokenHash === undefined ? undefined : directory.findToken(tokenHash);
      const isGood = token !== undefined && isSession(token) && !isOver(token);
      return isGood ? tokenPrincipal(token, directory) : undefined;
    },
  };
}

/** One that is bound to no organisation is none: it would be the local owner's. */
function isSession({ kind, organizationId }: MintedToken): boolean {
  return kind === "session" && organizationId !== null;
}
