import type { Principal } from "../core/principal.ts";
import { hashToken, isMintedToken, newMintedToken } from "./minted-token-format.ts";
import { ownerPrincipal } from "./owner-principal.ts";
import type { FreshToken } from "./token-mint.ts";

/**
 * Tokens for who has shown the local proof and asks to administer: good for two minutes, in this process only, and
 * nowhere but where `principalOf` is asked. They have no row and no history, and no door knows them.
 */
export interface AdministrationTokens {
  mint(): FreshToken;
  /**
   * The owner of the gateway for a token that is good now; undefined for anything else, which may be good at
   * the door. To be asked for the administration's own routes only.
   */
  principalOf(bearer: string | undefined): Principal | undefined;
}

export interface AdministrationTokensOptions {
  /** Milliseconds since the epoch. */
  now: () => number;
  newId: () => string;
  /** A cryptographic source: `node:crypto`'s. */
  randomBytes: (size: number) => Uint8Array;
  /** The operating-system user the gateway runs as. */
  owner: string;
}

const lifetimeMs = 2 * 60_000;
/** More than the exchange gives in that time; beyond it the oldest goes. */
const maxLive = 2000;

export function createAdministrationTokens(
  options: AdministrationTokensOptions,
): AdministrationTokens {
  const { now, newId, randomBytes, owner } = options;
  /** When each expires, by its hash, oldest first. */
  const expiries = new Map<string, number>();
  return {
    mint() {
      const atMs = now();
      for (const [hash, expiresAtMs] of expiries) {
        if (expiresAtMs > atMs && expiries.size < maxLive) break;
        expiries.delete(hash);
      }
      const token = newMintedToken(randomBytes);
      const expiresAtMs = atMs + lifetimeMs;
      expiries.set(hashToken(token), expiresAtMs);
      return { token, tokenId: newId(), expiresAtMs, userId: owner, role: "admin" };
    },
    principalOf(bearer) {
      if (bearer === undefined || !isMintedToken(bearer)) return undefined;
      const expiresAtMs = expiries.get(hashToken(bearer));
      const atMs = now();
      // One that is good for longer than any ever is: the clock was put back.
      const good =
        expiresAtMs !== undefined && expiresAtMs > atMs && expiresAtMs <= atMs + lifetimeMs;
      return good ? { ...ownerPrincipal(owner), expiresAtMs } : undefined;
    },
  };
}
