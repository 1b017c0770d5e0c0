import { AppError } from "../core/errors.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { MintedToken, Storage } from "../core/storage.ts";
import type { Authenticator } from "./authenticator.ts";
import { hashToken, isMintedToken, mintedTokenPrefix } from "./minted-token-format.ts";
import { verifiedTokensOf } from "./verified-tokens.ts";

/**
 * Accepts the tokens this gateway minted. A token that was revoked or has expired is out at once. What does not begin with `od_` is not its own; what does is never passed on.
 */
export function createLocalAuthenticator(options: {
  storage: Storage;
  /** Milliseconds since the epoch. */
  now: () => number;
}): Authenticator {
  const { storage, now } = options;
  const verified = verifiedTokensOf(storage);
  return {
    way: {
      type: "local",
      description: "On this machine, as the user who runs the gateway: agent auth login",
    },
    async authenticate({ bearer }) {
      if (bearer === undefined) {
        return { kind: "absent" };
      }
      if (!bearer.startsWith(mintedTokenPrefix)) {
        return { kind: "not-mine" };
      }
      if (!isMintedToken(bearer)) {
        return { kind: "rejected", reason: "The token is not known here" };
      }
      let token: MintedToken | undefined;
      try {
        const hash = hashToken(bearer);
        token = await verified.find(hash, () =>
          storage.withPrincipal(systemPrincipal, (tx) => tx.tokens.findByHash(hash)),
        );
      } catch (error) {
        if (error instanceof AppError && error.code === "store_unavailable") {
          return { kind: "unavailable", reason: error.message };
        }
        throw error;
      }
      if (token === undefined) {
        return { kind: "rejected", reason: "The token is not known here" };
      }
      if (token.revokedAtMs !== null) {
        return { kind: "rejected", reason: "The token was revoked" };
      }
      if (token.expiresAtMs <= now()) {
        return { kind: "rejected", reason: "The token has expired" };
      }
      return {
        kind: "accepted",
        principal: {
          userId: token.userId,
          displayName: token.userId,
          organizationId: null,
          role: token.role,
          scopes: [],
          method: "local",
          expiresAtMs: token.expiresAtMs,
          tokenId: token.id,
        },
      };
    },
  };
}
