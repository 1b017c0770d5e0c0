import type { Authenticator } from "./authenticator.ts";
import type { Directory } from "./directory.ts";
import { hashToken, isMintedToken, mintedTokenPrefix } from "./minted-token-format.ts";
import { renewPrincipal } from "./standing.ts";
import { tokenPrincipal } from "./token-principal.ts";

/** One answer for what never was, what was taken back, and what nobody stands behind any more. */
const unknown = { kind: "rejected", reason: "The token is not known here" } as const;

/**
 * Accepts the tokens this gateway minted, but for those of sessions, without waiting for anything: the directory holds
 * them. Who it is is made anew each time, so a role that was changed, and a token that was taken back or has expired,
 * count from the next request on. What does not begin with `od_` is not its own; what does is never passed on, unless
 * it is a session's.
 */
export function createLocalAuthenticator(options: {
  directory: Pick<Directory, "findToken" | "organization" | "roleIn" | "user">;
  /** Milliseconds since the epoch. */
  now: () => number;
}): Authenticator {
  const { directory, now } = options;
  return {
    renew: (principal) => renewPrincipal(principal, directory, now()),
    way: {
      type: "local",
      description: "On this machine, as the user who runs the gateway: agent auth login",
    },
    authenticate({ bearer }) {
      if (bearer === undefined) return { kind: "absent" };
      if (!bearer.startsWith(mintedTokenPrefix)) return { kind: "not-mine" };
      if (!isMintedToken(bearer)) return unknown;
      const token = directory.findToken(hashToken(bearer));
      if (token === undefined) return unknown;
      // Those are of type `simple`, which may be off.
      if (token.kind === "session") return { kind: "not-mine" };
      if (token.expiresAtMs !== null && token.expiresAtMs <= now()) {
        return { kind: "rejected", reason: "The token has expired" };
      }
      const principal = tokenPrincipal(token, directory);
      return principal === undefined ? unknown : { kind: "accepted", principal };
    },
  };
}
