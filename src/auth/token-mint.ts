import type { MintedToken } from "../core/identities.ts";
import { systemPrincipal } from "../core/principal.ts";
import type { Role } from "../core/principal.ts";
import type { Directory } from "./directory.ts";
import {
  hashRefreshFamily,
  hashToken,
  isMintedToken,
  newMintedToken,
  refreshFamilyOf,
} from "./minted-token-format.ts";
import { ownerPrincipal } from "./owner-principal.ts";
import { endedToken } from "./passwords/end-sessions.ts";

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

/** Makes the tokens of the local owner's command line; takes back whatever minted token its bearer shows. */
export interface MintedTokens {
  /** A token for the CLI of the local owner: role admin, good for 24 hours. */
  mintCliToken(userId: string): Promise<FreshToken>;
  /**
   * Takes back the token shown, of a session also its refresh token; false when it is none of ours, expired, or revoked
   * before. A session is ended by its token and by any refresh token it ever had, as long as it can be refreshed.
   */
  revokeByBearer(bearer: string): Promise<boolean>;
}

const lifetimeMs = 24 * 60 * 60 * 1000;

export interface TokenMintOptions {
  directory: Directory;
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
  const { directory, now, newId, randomBytes, report } = options;
  return {
    async mintCliToken(userId) {
      const token = newMintedToken(randomBytes);
      const tokenId = newId();
      const role = "admin";
      const createdAtMs = now();
      const expiresAtMs = createdAtMs + lifetimeMs;
      const row: MintedToken = {
        id: tokenId,
        hash: hashToken(token),
        kind: "cli",
        name: "command line",
        userId,
        organizationId: null,
        role: null,
        scopes: [],
        createdAtMs,
        expiresAtMs,
        refresh: null,
        revokedAtMs: null,
      };
      await directory.change(ownerPrincipal(userId), () => ({ tokens: [row], result: undefined }));
      report({ kind: "minted", tokenId, userId, role, expiresAtMs });
      return { token, tokenId, expiresAtMs, userId, role };
    },

    async revokeByBearer(bearer) {
      if (!isMintedToken(bearer)) return false;
      const hash = hashToken(bearer);
      const familyHash = hashRefreshFamily(refreshFamilyOf(bearer));
      const find = (): MintedToken | undefined =>
        directory.findToken(hash) ?? directory.findSession(familyHash);
      const shown = find();
      if (shown === undefined) return false;
      // What the bearer does is done by who the token acts for.
      const by = { ...systemPrincipal, userId: shown.userId };
      const revoked = await directory.change(by, () => {
        const token = find();
        const atMs = now();
        return token !== undefined && isGood(token, atMs)
          ? { tokens: [endedToken(token, atMs)], result: true }
          : { result: false };
      });
      if (revoked) report({ kind: "revoked", tokenId: shown.id, userId: shown.userId });
      return revoked;
    },
  };
}

/** Whether a token, or what it can be refreshed with, has not expired. */
function isGood({ expiresAtMs, refresh }: MintedToken, atMs: number): boolean {
  return expiresAtMs === null || Math.max(expiresAtMs, refresh?.expiresAtMs ?? 0) > atMs;
}
