import { systemPrincipal } from "../core/principal.ts";
import type { Role } from "../core/principal.ts";
import type { MintedToken, Storage } from "../core/storage.ts";
import { hashToken, isMintedToken, mintedTokenPrefix } from "./minted-token-format.ts";
import { verifiedTokensOf } from "./verified-tokens.ts";

export interface FreshToken {
  /** Shown once, here: only its hash is kept. */
  token: string;
  tokenId: string;
  /** Milliseconds since the epoch. */
  expiresAtMs: number;
  userId: string;
  role: Role;
}

/** What happened to a token, for the log; never the token itself. */
export type TokenEvent =
  | { kind: "minted"; tokenId: string; userId: string; role: Role; expiresAtMs: number }
  | { kind: "revoked"; tokenId: string; userId: string };

/** Makes the gateway's own tokens and takes them back. */
export interface MintedTokens {
  /** A token for the CLI of the local owner: role admin, good for 24 hours. */
  mintCliToken(userId: string): Promise<FreshToken>;
  /** Takes back the token shown; false when it is none of ours, expired, or revoked before. */
  revokeByBearer(bearer: string): Promise<boolean>;
  /** Tells the id of each token that is taken back from now on, after it is out. */
  onRevoked(listener: (tokenId: string) => void): void;
}

const lifetimeMs = 24 * 60 * 60 * 1000;
/** How long an expired token is remembered, so that it is answered with "has expired". */
const rememberedMs = 7 * lifetimeMs;

export interface TokenMintOptions {
  storage: Storage;
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  /** A cryptographic source: `node:crypto`'s. */
  randomBytes: (size: number) => Uint8Array;
  /** Told after the fact is in the storage. */
  report: (event: TokenEvent) => void;
}

/** `mintCliToken` and `revokeByBearer` throw AppError `store_unavailable` when the storage does. */
export function createTokenMint(options: TokenMintOptions): MintedTokens {
  const { storage, now, newId, randomBytes, report } = options;
  const verified = verifiedTokensOf(storage);
  const listeners: ((tokenId: string) => void)[] = [];
  return {
    async mintCliToken(userId) {
      const token = `${mintedTokenPrefix}${Buffer.from(randomBytes(32)).toString("base64url")}`;
      const atMs = now();
      const tokenId = newId();
      const role = "admin";
      const expiresAtMs = atMs + lifetimeMs;
      await storage.withPrincipal(systemPrincipal, async (tx) => {
        await tx.tokens.deleteExpired(atMs - rememberedMs);
        await tx.tokens.insert({
          id: tokenId,
          hash: hashToken(token),
          kind: "cli",
          userId,
          role,
          createdAtMs: atMs,
          expiresAtMs,
          revokedAtMs: null,
        });
      });
      report({ kind: "minted", tokenId, userId, role, expiresAtMs });
      return { token, tokenId, expiresAtMs, userId, role };
    },

    async revokeByBearer(bearer) {
      if (!isMintedToken(bearer)) {
        return false;
      }
      const atMs = now();
      const hash = hashToken(bearer);
      let revoked: MintedToken | undefined;
      try {
        revoked = await storage.withPrincipal(systemPrincipal, async (tx) => {
          const token = await tx.tokens.findByHash(hash);
          return token && (await tx.tokens.revoke(token.id, atMs)) ? token : undefined;
        });
      } finally {
        verified.forget(hash);
      }
      if (revoked !== undefined) {
        report({ kind: "revoked", tokenId: revoked.id, userId: revoked.userId });
        for (const listener of listeners) listener(revoked.id);
      }
      return revoked !== undefined;
    },

    onRevoked: (listener) => void listeners.push(listener),
  };
}
